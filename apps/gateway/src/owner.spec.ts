import { createOwnerLookup, type Claims } from './owner.ts';

const owner = (name: string, ...prefixes: string[]): Claims => ({ name, prefixes });
const native: Claims = { name: 'native', prefixes: ['/docs', '/v1/events'], openPrefixes: ['/', '/v1'] };

const ownerOf = createOwnerLookup([
  native,
  owner('policies', '/webhook_policies', '/v1/webhook_policies'),
  owner('management', '/api/management'),
]);

test.each([
  ['/', 'native'],
  ['/v1', 'native'],
  ['/v1/endpoints', 'native'],
  ['/v1/webhook_policies', 'policies'],
  ['/v1/webhook_policies/7/x', 'policies'],
  ['/webhook_policies', 'policies'],
  ['/webhook_policiesx', 'native'],
  ['/v1/webhook_polici', 'native'],
  ['/api', 'native'],
  ['/api/management/x', 'management'],
  ['/api/%6danagement', 'management'],
  ['/api/management/%zz', 'management'],
  ['/api/%zz/management', 'native'],
  ['/API/management', 'native'],
  ['//api/management', 'native'],
])('%s belongs to %s', (path, name) => {
  expect(ownerOf(path).name).toBe(name);
});

test('two that claim one prefix are refused at the start', () => {
  expect(() => createOwnerLookup([native, owner('b', '/x'), owner('c', '/%78')])).toThrow(
    'Both b and c claim /%78.',
  );
});

test.each([
  [owner('b', '/api/webhooks'), owner('c', '/api'), 'b claims /api/webhooks, which is within what c claims.'],
  [owner('b', '/docs/api'), owner('c', '/x'), 'b claims /docs/api, which is within what native claims.'],
  [owner('b', '/v1/events'), owner('c', '/x'), 'Both native and b claim /v1/events.'],
  [owner('b', '/'), owner('c', '/x'), 'Both native and b claim /.'],
])('a prefix within another’s is refused at the start (%#)', (b, c, message) => {
  expect(() => createOwnerLookup([b, native, c])).toThrow(/claim/);
  expect(() => createOwnerLookup([native, b, c])).toThrow(message);
});

test('one owner may claim a prefix within its own', () => {
  expect(createOwnerLookup([native, owner('b', '/x', '/x/y')])('/x/y/z').name).toBe('b');
});

test('somebody must own what is left', () => {
  expect(() => createOwnerLookup([owner('a', '/x')])).toThrow('Nobody owns "/".');
});
