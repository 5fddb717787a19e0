/**
 * The secrets that the tests of a file have made and seen. The clients of the suites remember them as they go by, and when a platform is
 * disposed of, its log, its metrics and all its files are searched for each: none may be there in the clear.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSecretSearch } from './secret-search.ts';

const search = createSecretSearch();
/** The file that has the encryption key, and may have it. */
const keyFile = 'encryption.key';
/** How much of a file is looked at at once, and how much of it again with what follows, so that nothing is cut in two. */
const chunkBytes = 8 * 2 ** 20;
const overlapBytes = 4096;

/** What is secret by its name, in what is sent and in what is answered. */
const secretNames = new Set(['token', 'secret', 'sharedSecret', 'privateKey']);
/** These carry payloads, which are stored as they come. */
const payloadPaths = /\/(events|attempts|deliveries|test|messages|filters)\b/;

export function rememberSecret(what: string, secret: string | Uint8Array): void {
  search.add(what, secret);
}

/** Remembers what is secret in a body or an answer of the REST API, and the values of custom headers. */
export function rememberSecrets(path: string, content: unknown): void {
  if (!payloadPaths.test(path)) remember(path, content);
}

function remember(where: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  // Elsewhere a key is something to look up by.
  const isPolicy = where.includes('/policies');
  for (const [name, inner] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (name === 'headers' && typeof inner === 'object' && inner !== null) {
      for (const [header, text] of Object.entries(inner))
        search.add(`the header ${header} of ${where}`, String(text));
    } else if (typeof inner === 'string' && (secretNames.has(name) || (name === 'key' && isPolicy))) {
      search.add(`${name} of ${where}`, inner);
    } else if (name !== 'metadata') {
      remember(where, inner);
    }
  }
}

/** Throws when one of the secrets stands in the text. */
export function refuseSecrets(where: string, content: string | Uint8Array): void {
  const found = search.foundIn(where, content);
  if (found.length > 0) throw new Error(`There are secrets where none may be: ${found.join('; ')}.`);
}

/** Throws when one of them, or the encryption key, stands in a file of the directory, its write-ahead log included. */
export function refuseSecretsInFiles(directory: string): void {
  if (!existsSync(directory)) return;
  const path = join(directory, keyFile);
  if (existsSync(path)) {
    for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
      search.add('the encryption key', line);
      search.add('the encryption key', Buffer.from(line, 'base64'));
    }
  }
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (name !== keyFile && statSync(join(directory, name)).isFile()) refuseSecretsInFile(directory, name);
  }
}

function refuseSecretsInFile(directory: string, name: string): void {
  const file = openSync(join(directory, name), 'r');
  try {
    const chunk = Buffer.alloc(chunkBytes);
    for (let at = 0; ; at += chunkBytes - overlapBytes) {
      const length = readSync(file, chunk, 0, chunkBytes, at);
      refuseSecrets(`the file ${name}`, chunk.subarray(0, length));
      if (length < chunkBytes) return;
    }
  } finally {
    closeSync(file);
  }
}
