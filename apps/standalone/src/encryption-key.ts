/**
 * The key that endpoint secrets are sealed with: given by the environment, or made on the first start and kept in the data
 * directory, readable by its owner only. Whoever copies the database without this file can't read the secrets.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '@posthorn/models';
import { configParsers } from '@posthorn/runtime';

const keyBytes = 32;

export const encryptionKeyParser = configParsers.bytes32;

/**
 * The key of a data directory, made when there is none; also makes the directory. Of several processes that start at once,
 * all get the same key. Throws `failed_precondition` when the file holds something else, or can't be written.
 */
export function keptEncryptionKey(dataDir: string): Uint8Array {
  const path = join(dataDir, 'encryption.key');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const kept = readKept(path);
    if (kept !== null) return parseKept(kept, path);
    placeOnce(path, `${randomBytes(keyBytes).toString('base64')}\n`);
    return parseKept(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof DomainError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DomainError(
      'failed_precondition',
      `The data directory ${dataDir} can't be used: ${reason}. Give another one with POSTHORN_DATA_DIR.`,
      { cause: error },
    );
  }
}

function readKept(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parseKept(text: string, path: string): Uint8Array {
  const key = encryptionKeyParser.parse(text.trim());
  if (key === undefined) {
    throw new DomainError(
      'failed_precondition',
      `${path} doesn't hold ${encryptionKeyParser.allowed}. Restore it from a backup: without it the secrets of endpoints can't be read.`,
    );
  }
  return key;
}

/** Puts a whole, durable file under the name, unless there is one already: a link is made at once or not at all. */
function placeOnce(path: string, content: string): void {
  const draft = `${path}.${randomUUID()}`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(file);
    rmSync(draft);
  }
}
