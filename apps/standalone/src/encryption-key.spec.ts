import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptionKeyParser, keptEncryptionKey } from './encryption-key.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-key-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a key is made once, and is the same ever after', () => {
  const dataDir = join(directory, 'not', 'there', 'yet');
  const key = keptEncryptionKey(dataDir);
  expect(key).toHaveLength(32);
  expect(keptEncryptionKey(dataDir)).toEqual(key);
  expect(readdirSync(dataDir)).toEqual(['encryption.key']);
});

test('two directories have different keys', () => {
  expect(keptEncryptionKey(join(directory, 'a'))).not.toEqual(keptEncryptionKey(join(directory, 'b')));
});

test('nobody but the owner can read the key or what lies beside it', () => {
  const dataDir = join(directory, 'data');
  keptEncryptionKey(dataDir);
  expect(statSync(join(dataDir, 'encryption.key')).mode & 0o777).toBe(0o600);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test('a file that is no key is told, and left as it is', () => {
  const file = join(directory, 'encryption.key');
  writeFileSync(file, 'half a k');
  expect(() => keptEncryptionKey(directory)).toThrow(/encryption\.key doesn't hold 32 bytes/);
  expect(readFileSync(file, 'utf8')).toBe('half a k');
});

test('a directory that can not be made is told, with what to do', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  expect(() => keptEncryptionKey(join(file, 'data'))).toThrow('POSTHORN_DATA_DIR');
  expect(existsSync(join(directory, 'data'))).toBe(false);
});

test.each([
  ['hexadecimal', 'ab'.repeat(32), true],
  ['base64', Buffer.alloc(32, 7).toString('base64'), true],
  ['base64url', Buffer.alloc(32, 255).toString('base64url'), true],
  ['too short', Buffer.alloc(31).toString('base64'), false],
  ['too long', Buffer.alloc(33).toString('base64'), false],
  ['a passphrase', 'correct horse battery staple', false],
])('a key in %s', (_name, text, isKey) => {
  expect(encryptionKeyParser.parse(text)?.length).toBe(isKey ? 32 : undefined);
});
