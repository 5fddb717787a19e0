/** The audit log: how long it is kept, which config has to know, and whose word about a client's address counts, which the gateway has to know. */
import { cidr, integer, list } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

export const auditConfig = {
  auditDays: configEntry({
    env: 'POSTHORN_AUDIT_DAYS',
    parser: integer({ min: 1, max: 3_650 }),
    default: 365,
    description: 'How many days the audit log (`GET /v1/audit`) is kept.',
  }),
} as const;

export const clientAddressConfig = {
  trustedProxies: configEntry({
    env: 'POSTHORN_TRUSTED_PROXIES',
    parser: list(cidr),
    default: [],
    description:
      'Ranges of the reverse proxies before the REST API. What they add to `X-Forwarded-For` is believed: the audit log shows the address behind them.',
  }),
} as const;
