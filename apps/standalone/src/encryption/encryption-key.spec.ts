import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptionKeyParser, keptEncryptionKeys } from './encryption-key.ts';

const keptKeys = (dataDir: string): readonly Uint8Array[] => keptEncryptionKeys(dataDir).encryptionKeys;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-key-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('a key is made once, and is the same ever after', () => {
  const dataDir = join(directory, 'not', 'there', 'yet');
  const keys = keptKeys(dataDir);
  expect(keys.map(({ length }) => length)).toEqual([32]);
  expect(keptKeys(dataDir)).toEqual(keys);
  expect(readdirSync(dataDir)).toEqual(['encryption.key']);
});

test('two directories have different keys', () => {
  expect(keptKeys(join(directory, 'a'))).not.toEqual(keptKeys(join(directory, 'b')));
});

test('nobody but the owner can read the key or what lies beside it', () => {
  const dataDir = join(directory, 'data');
  keptKeys(dataDir);
  expect(statSync(join(dataDir, 'encryption.key')).mode & 0o777).toBe(0o600);
  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test('several keys are kept in their order, in place of those before', () => {
  const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const { encryptionKeyFile } = keptEncryptionKeys(directory);
  encryptionKeyFile.write([second, first]);
  expect(keptKeys(directory).map((key) => [...key])).toEqual([[...second], [...first]]);
  encryptionKeyFile.write([second]);
  expect(keptKeys(directory).map((key) => [...key])).toEqual([[...second]]);
  expect(readdirSync(directory)).toEqual(['encryption.key']);
  expect(statSync(join(directory, 'encryption.key')).mode & 0o777).toBe(0o600);
});

test('a file of which one line is no key is told', () => {
  const { encryptionKeys } = keptEncryptionKeys(directory);
  const good = Buffer.from(encryptionKeys[0] ?? []).toString('base64');
  writeFileSync(join(directory, 'encryption.key'), `${good}\nhalf a k\n`);
  expect(() => keptKeys(directory)).toThrow(/encryption\.key doesn't hold 32 bytes/);
});

test('a file that is no key is told, and left as it is', () => {
  const file = join(directory, 'encryption.key');
  writeFileSync(file, 'half a k');
  expect(() => keptKeys(directory)).toThrow(/encryption\.key doesn't hold 32 bytes/);
  expect(readFileSync(file, 'utf8')).toBe('half a k');
});

test('a directory that can not be made is told, with what to do', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  expect(() => keptKeys(join(file, 'data'))).toThrow('POSTHORN_DATA_DIR');
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
