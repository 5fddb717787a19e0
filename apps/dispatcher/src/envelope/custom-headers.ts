import type { Endpoint } from '@posthorn/models';
import type { HeaderList } from './message.ts';
import { oncePer } from './once-per.ts';

/** The headers that an endpoint's owner adds; those whose names are ours are left out. Names and values by turns. */
export const customHeaders: (endpoint: Endpoint) => HeaderList = oncePer((endpoint) =>
  Object.entries(endpoint.headers)
    .filter(([name]) => !isReservedHeader(name))
    .flat(),
);

/** What we set ourselves, and what would change how the message is framed or routed. */
const reservedHeaders = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'ricloud-signature',
  'te',
  'traceparent',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-4me-delivery',
  'x-xurrent-delivery',
]);

const reservedPrefixes = ['webhook-', 'x-webhook-', 'ce-'];

/** Whether an endpoint's custom header of that name is never sent. */
function isReservedHeader(name: string): boolean {
  const lowerCase = name.toLowerCase();
  return reservedHeaders.has(lowerCase) || reservedPrefixes.some((prefix) => lowerCase.startsWith(prefix));
}
