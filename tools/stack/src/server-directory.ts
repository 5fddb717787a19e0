import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface ServerDirectory {
  readonly directory: string;
  /** Whether it goes away with the server. */
  readonly isTemporary: boolean;
}

/** Makes the directory of a server: the one that its starter chose, or one of its own. */
export function serverDirectory(product: string, chosen?: string): ServerDirectory {
  if (chosen === undefined) {
    return { directory: mkdtempSync(join(tmpdir(), `posthorn-${product}-`)), isTemporary: true };
  }
  mkdirSync(chosen, { recursive: true });
  return { directory: resolve(chosen), isTemporary: false };
}
