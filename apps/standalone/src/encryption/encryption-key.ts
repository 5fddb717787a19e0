/**
 * The keys that endpoint secrets are sealed with, where none are given by the environment: made on the first start and kept in the data
 * directory, readable by their owner only. Whoever copies the database without this file can't read the secrets. It has one key,
 * or several while they are rotated: a line each, and the first seals.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { KeyFile } from '@posthorn/config';
import { DomainError } from '@posthorn/models';
import { configParsers } from '@posthorn/runtime';

const keyBytes = 32;

export const encryptionKeyParser = configParsers.bytes32;

/** The keys of a data directory, and how they are replaced. */
export interface KeptEncryptionKeys {
  readonly encryptionKeys: readonly Uint8Array[];
  readonly encryptionKeyFile: KeyFile;
}

/**
 * The keys of a data directory; one is made when there is none, and the directory too. Of several processes that start at once,
 * all get the same key. Throws `failed_precondition` when the file holds something else, or can't be written.
 */
export function keptEncryptionKeys(dataDir: string): KeptEncryptionKeys {
  const path = join(dataDir, 'encryption.key');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    let kept = readKept(path);
    if (kept === null) {
      placeOnce(path, textOf([randomBytes(keyBytes)]));
      kept = readFileSync(path, 'utf8');
    }
    return {
      encryptionKeys: parseKept(kept, path),
      encryptionKeyFile: { write: (keys) => replaceFile(path, textOf(keys)) },
    };
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

function textOf(keys: readonly Uint8Array[]): string {
  return keys.map((key) => `${Buffer.from(key).toString('base64')}\n`).join('');
}

function readKept(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parseKept(text: string, path: string): readonly Uint8Array[] {
  const lines = text.trim().split(/\s*\n\s*/);
  return lines.map((line) => {
    const key = encryptionKeyParser.parse(line);
    if (key !== undefined) return key;
    throw new DomainError(
      'failed_precondition',
      `${path} doesn't hold ${encryptionKeyParser.allowed}. Restore it from a backup: without it the secrets of endpoints can't be read.`,
    );
  });
}

/** Puts a whole, durable file under the name, unless there is one already: a link is made at once or not at all. */
function placeOnce(path: string, content: string): void {
  const draft = writeDraft(path, content);
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  syncDirectory(path);
}

/** Puts a whole, durable file in place of the one under the name: there is never none, and never half of one. */
function replaceFile(path: string, content: string): void {
  const draft = writeDraft(path, content);
  try {
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft);
    throw error;
  }
  syncDirectory(path);
}

function writeDraft(path: string, content: string): string {
  const draft = `${path}.${randomUUID()}`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } catch (error) {
    rmSync(draft);
    throw error;
  } finally {
    closeSync(file);
  }
  return draft;
}

/** A name is durable when its directory is. */
function syncDirectory(path: string): void {
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
