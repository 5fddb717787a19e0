import type { IncomingMessage } from 'node:http';
import { createAllowList } from '@posthorn/models';
import { clientAddressOf } from './client-address.ts';

const proxies = createAllowList(['10.0.0.0/8', 'fd00::/8']);

function addressOf(
  remoteAddress: string | undefined,
  forwarded?: string | string[],
  trusted = proxies,
): string | undefined {
  const req = { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } };
  return clientAddressOf(req as Pick<IncomingMessage, 'headers'> as IncomingMessage, trusted);
}

test.each<[string, string | undefined, string | string[] | undefined, string | undefined]>([
  ['who connects, where nobody forwards', '203.0.113.9', undefined, '203.0.113.9'],
  ['who connects, in spite of what he claims', '203.0.113.9', '10.1.1.1, 198.51.100.1', '203.0.113.9'],
  ['whom our proxy names', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
  ['whom the farthest of our proxies names', '10.0.0.1', '198.51.100.1, 10.2.2.2', '198.51.100.1'],
  ['nobody that the client itself wrote before', '10.0.0.1', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
  ['whom the last of several headers names', '10.0.0.1', ['1.2.3.4', '198.51.100.1'], '198.51.100.1'],
  ['a proxy that asks for itself', '10.0.0.1', undefined, '10.0.0.1'],
  ['the farthest proxy, where only proxies are named', '10.0.0.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
  ['an IPv4 address, also on an IPv6 socket', '::ffff:203.0.113.9', undefined, '203.0.113.9'],
  ['whom a proxy on an IPv6 socket names', '::ffff:10.0.0.1', '2001:db8::1', '2001:db8::1'],
  ['nobody, where the proxy does not know', '10.0.0.1', 'unknown', undefined],
  ['nobody, where the connection is gone', undefined, '1.2.3.4', undefined],
])('the client is %s', (_, remote, forwarded, expected) => {
  expect(addressOf(remote, forwarded)).toBe(expected);
});

test('no proxy is believed where none is named', () => {
  expect(addressOf('10.0.0.1', '198.51.100.1', createAllowList([]))).toBe('10.0.0.1');
});
