/**
 * The egress guard: turns the host of a target URL into addresses that deliveries may reach, or says why it can't be
 * reached. A name is refused as a whole when any one of its addresses is neither public nor on the allow list: an attacker
 * who mixes a private address into a public answer gets nothing. What was checked is only worth something when the very
 * addresses given here are connected to; looking the name up once more undoes it.
 *
 * Names are asked of DNS alone (`dns.Resolver`): the hosts file and search domains play no part, and the four threads behind
 * `dns.lookup` can't be used up. One organisation's slow names delay no other's: each has look-ups of its own.
 */
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { mayReach, type AllowList } from '@posthorn/models';
import type { Clock } from './clock.ts';

export type TargetAnswer =
  | {
      readonly ok: true;
      /** Checked addresses, never empty; IPv4 first, because a host without a way to IPv6 is the more common one. */
      readonly addresses: readonly string[];
    }
  | {
      readonly ok: false;
      /** `blocked`: deliveries may not go there. `dns`: the name has no address now. */
      readonly reason: 'blocked' | 'dns';
      /** For people; says nothing about what a name resolved to, which may be a network of ours. */
      readonly message: string;
    };

export interface TargetResolver {
  /**
   * Where a host may be reached. Answers at once for addresses and for names that were looked up a moment ago; never rejects.
   *
   * @param hostname as `URL.hostname` has it: a name, or an IPv4 or a bracketed IPv6 address.
   */
  resolve(hostname: string, organisationId: string): TargetAnswer | Promise<TargetAnswer>;
  /** Whether deliveries may reach an address: it is public, or on the allow list. False for what isn't an address. */
  isAllowed(address: string): boolean;
  /** Gives up look-ups under way: they answer `dns`. */
  close(): void;
}

/** The part of `dns.promises.Resolver` that is used. */
export type NameLookup = Pick<Resolver, 'cancel'> & {
  resolve4(name: string, options: { ttl: true }): Promise<readonly AddressRecord[]>;
  resolve6(name: string, options: { ttl: true }): Promise<readonly AddressRecord[]>;
};

interface AddressRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface TargetResolverOptions {
  /** What may be reached although it isn't public. */
  readonly allow: AllowList;
  readonly clock: Clock;
  /** Name servers as `address` or `address:port`; the system's when empty. */
  readonly dnsServers?: readonly string[];
  /** How many names are looked up at a time for one organisation; the others wait. */
  readonly maxLookupsPerOrganisation?: number;
  /** How many answers are remembered; the one unused for longest goes first. */
  readonly maxCachedNames?: number;
  /** Asks the name servers; `dns.promises.Resolver` when absent. */
  readonly lookup?: NameLookup;
}

/** The longest that one name may take. */
export const lookupTimeoutMs = 2_000;
/** An answer is good for its time to live, but for at most and at least this long. */
const maxCachedMs = 30_000;
const minCachedMs = 1_000;
/** How long a refusal, or a name without an address, is remembered. */
const refusalCachedMs = 5_000;

/** The look-ups of one organisation. */
interface Lane {
  running: number;
  readonly waiting: (() => void)[];
  readonly inFlight: Map<string, Promise<TargetAnswer>>;
}

export function createTargetResolver(options: TargetResolverOptions): TargetResolver {
  const { allow, clock, dnsServers = [], maxLookupsPerOrganisation = 2, maxCachedNames = 10_000 } = options;
  const lookup = options.lookup ?? systemLookup(dnsServers);
  const cache = new Map<string, { readonly answer: TargetAnswer; readonly expiresAt: number }>();
  const lanes = new Map<string, Lane>();

  const isAllowed = (address: string): boolean => mayReach(address, allow);

  function cached(hostname: string): TargetAnswer | undefined {
    const entry = cache.get(hostname);
    if (entry === undefined) return undefined;
    cache.delete(hostname);
    if (entry.expiresAt <= clock.monotonic()) return undefined;
    // Back at the end: the map's order is the order of use.
    cache.set(hostname, entry);
    return entry.answer;
  }

  function remember(hostname: string, answer: TargetAnswer, forMs: number): TargetAnswer {
    cache.delete(hostname);
    const [oldest] = cache.size >= maxCachedNames ? cache.keys() : [];
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(hostname, { answer, expiresAt: clock.monotonic() + forMs });
    return answer;
  }

  async function ask(hostname: string): Promise<TargetAnswer> {
    const [v4, v6] = await Promise.all([
      withinTimeout(clock, async () => lookup.resolve4(hostname, { ttl: true })),
      withinTimeout(clock, async () => lookup.resolve6(hostname, { ttl: true })),
    ]);
    const records = [...v4.records, ...v6.records];
    if (records.length === 0) {
      return remember(hostname, unresolved(hostname, [v4.error, v6.error]), refusalCachedMs);
    }
    if (!records.every(({ address }) => isAllowed(address))) {
      const message = `${hostname} resolves to an address that deliveries may not reach.`;
      return remember(hostname, { ok: false, reason: 'blocked', message }, refusalCachedMs);
    }
    const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1_000;
    const answer: TargetAnswer = { ok: true, addresses: records.map(({ address }) => address) };
    return remember(hostname, answer, Math.min(Math.max(ttlMs, minCachedMs), maxCachedMs));
  }

  /** Waits for one of the organisation's places; by then someone else may have asked for the same name. */
  async function askInTurn(lane: Lane, hostname: string): Promise<TargetAnswer> {
    if (lane.running >= maxLookupsPerOrganisation) {
      await new Promise<void>((resolve) => lane.waiting.push(resolve));
    } else {
      lane.running++;
    }
    try {
      return cached(hostname) ?? (await ask(hostname));
    } finally {
      // The place goes on to the next in line, or is given back.
      const next = lane.waiting.shift();
      if (next) next();
      else lane.running--;
    }
  }

  function resolveName(hostname: string, organisationId: string): Promise<TargetAnswer> {
    let lane = lanes.get(organisationId);
    if (!lane) lanes.set(organisationId, (lane = { running: 0, waiting: [], inFlight: new Map() }));
    const { inFlight } = lane;
    let answer = inFlight.get(hostname);
    if (!answer) {
      answer = askInTurn(lane, hostname).finally(() => {
        inFlight.delete(hostname);
        if (inFlight.size === 0) lanes.delete(organisationId);
      });
      inFlight.set(hostname, answer);
    }
    return answer;
  }

  return {
    isAllowed,
    resolve(hostname, organisationId) {
      const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
      if (isIP(literal) !== 0) return judgeAll(hostname, [literal]);
      if (isLocalhost(hostname)) return judgeAll(hostname, ['127.0.0.1', '::1'].filter(isAllowed));
      return cached(hostname) ?? resolveName(hostname, organisationId);
    },
    close: () => lookup.cancel(),
  };

  function judgeAll(hostname: string, addresses: readonly string[]): TargetAnswer {
    if (addresses.length > 0 && addresses.every(isAllowed)) return { ok: true, addresses };
    return { ok: false, reason: 'blocked', message: `Deliveries may not reach ${hostname}.` };
  }
}

/** Names under `localhost` are the machine's own, whatever a name server says (RFC 6761 section 6.3). */
function isLocalhost(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname);
}

function systemLookup(dnsServers: readonly string[]): NameLookup {
  // Two tries within the limit: one lost datagram is not an answer.
  const resolver = new Resolver({ timeout: 650, tries: 2 });
  if (dnsServers.length > 0) resolver.setServers(dnsServers);
  return resolver;
}

interface Records {
  readonly records: readonly AddressRecord[];
  /** The code of a failure, such as `ENOTFOUND`. */
  readonly error: string | null;
}

function withinTimeout(clock: Clock, query: () => Promise<readonly AddressRecord[]>): Promise<Records> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve({ records: [], error: 'ETIMEOUT' }), lookupTimeoutMs);
    query().then(
      (records) => {
        clock.clearTimeout(timer);
        resolve({ records, error: null });
      },
      (error: unknown) => {
        clock.clearTimeout(timer);
        resolve({ records: [], error: codeOf(error) });
      },
    );
  });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'EUNKNOWN';
}

function unresolved(hostname: string, errors: readonly (string | null)[]): TargetAnswer {
  const isTimeout = errors.includes('ETIMEOUT');
  const isAnswered = errors.every((code) => code === null || code === 'ENOTFOUND' || code === 'ENODATA');
  const message = isTimeout
    ? `The name servers did not answer for ${hostname} in time.`
    : isAnswered
      ? `The name ${hostname} has no address.`
      : `The name servers could not answer for ${hostname}.`;
  return { ok: false, reason: 'dns', message };
}
