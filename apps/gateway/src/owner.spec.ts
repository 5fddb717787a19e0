import { createOwnerLookup, type Owner } from './owner.ts';

const owner = (name: string, ...prefixes: string[]): Owner => ({ name, prefixes, handle: () => undefined });

const ownerOf = createOwnerLookup([
  owner('native', '/', '/v1'),
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
  expect(() => createOwnerLookup([owner('a', '/'), owner('b', '/x'), owner('c', '/%78')])).toThrow(
    'Both b and c claim /%78.',
  );
});

test('somebody must own what is left', () => {
  expect(() => createOwnerLookup([owner('a', '/x')])).toThrow('Nobody owns "/".');
});
