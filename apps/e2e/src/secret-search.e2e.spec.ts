import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createSecretSearch } from './secret-search.ts';

const secret = 'a-secret-that-nobody-has';
const search = createSecretSearch();
search.add('the secret', secret);

it.each([
  ['clear', secret],
  ['base64', Buffer.from(secret).toString('base64')],
  ['base64, one byte in', Buffer.from(`{${secret}}`).toString('base64')],
  ['base64, two bytes in', Buffer.from(`{"${secret}"}`).toString('base64')],
  ['base64url', Buffer.from(`xyz${secret}`).toString('base64url')],
  ['hexadecimal', Buffer.from(secret).toString('hex')],
  ['hexadecimal in capitals', Buffer.from(secret).toString('hex').toUpperCase()],
])('finds a secret in %s, amid other bytes, and does not show it', (_, text) => {
  const found = search.foundIn(
    'here',
    Buffer.concat([randomBytes(1000), Buffer.from(text), randomBytes(1000)]),
  );
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^the secret \(.*\) in here$/);
  expect(search.foundIn('here', text)).toHaveLength(1);
});

it('finds what a signing secret stands for', () => {
  const key = randomBytes(32);
  const signing = createSecretSearch();
  signing.add('a signing secret', `whsec_${key.toString('base64')}`);
  for (const bytes of [key, Buffer.from(key.toString('hex')), Buffer.from(key.toString('base64'))]) {
    expect(signing.foundIn('a file', Buffer.concat([randomBytes(7), bytes, randomBytes(7)]))).not.toEqual([]);
  }
});

it('finds a private key by any of its lines, and in DER', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const keys = createSecretSearch();
  keys.add('a private key', pem);
  expect(keys.foundIn('a log', JSON.stringify({ key: pem }))).not.toEqual([]);
  expect(keys.foundIn('a file', privateKey.export({ type: 'pkcs8', format: 'der' }))).not.toEqual([]);
});

it('finds nothing where there is nothing, and takes nothing short for a secret', () => {
  search.add('a word', 'ok');
  expect(search.foundIn('here', Buffer.concat([randomBytes(1_000_000), Buffer.from('ok')]))).toEqual([]);
});
