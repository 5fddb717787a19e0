/** Where deliveries may go. config holds new endpoints to it, the dispatcher every connection; so they are told the same. */
import { boolean, cidr, list, nameServer, proxyUrl } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

export const targetConfig = {
  allowTargets: configEntry({
    env: 'POSTHORN_ALLOW_TARGETS',
    parser: list(cidr),
    default: [],
    description:
      'Ranges that deliveries may reach although they are not public, such as `127.0.0.0/8` for receivers on this machine.',
  }),
  requireHttps: configEntry({
    env: 'POSTHORN_REQUIRE_HTTPS',
    parser: boolean,
    default: false,
    description: 'Refuse endpoints with plain http, but for targets that POSTHORN_ALLOW_TARGETS names.',
  }),
  dnsServers: configEntry({
    env: 'POSTHORN_DNS_SERVERS',
    parser: list(nameServer),
    default: [],
    defaultText: "the system's",
    description: 'Name servers that resolve the targets of deliveries.',
  }),
} as const;

/** How deliveries leave. */
export const egressConfig = {
  egressProxy: configEntry({
    env: 'POSTHORN_EGRESS_PROXY',
    parser: proxyUrl,
    default: null,
    defaultText: 'none: receivers are connected to directly',
    secret: true,
    description:
      'A forward proxy that every delivery goes through (HTTP CONNECT). Names are still resolved and addresses checked here: the proxy is told the address. Its own address may be private.',
  }),
} as const;
