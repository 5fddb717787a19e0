import type { Peer } from './exchange.ts';
import type { TestServer } from './test-server.ts';

export interface GivenServer {
  /** What it is, as `Kafka`. */
  readonly product: string;
  /** The variable that it was given by. */
  readonly variable: string;
  readonly address: string;
  /** Where it may be asked whether it serves; empty when that takes more than a plain connection. */
  readonly peers: readonly Peer[];
  /** Answers the version if it tells; rejects when it doesn't serve. */
  readonly probe: (peer: Peer) => Promise<string | null>;
}

/**
 * A server that belongs to somebody else: it is used as it is, and neither stopped nor killed.
 *
 * @throws Error when none of its peers answers
 */
export async function useGivenServer(given: GivenServer): Promise<TestServer> {
  const { product, variable } = given;
  const version = (await firstAnswer(given)) ?? 'unknown';
  const refuse = (): Promise<never> =>
    Promise.reject(
      new Error(
        `${product} was given by ${variable}, so a test may not make it fail: ` +
          'ask canBeKilled first, or start one with { own: true }',
      ),
    );
  return {
    source: 'url',
    version,
    description: `${product}, version ${version}, given by ${variable}`,
    canBeKilled: false,
    kill: refuse,
    restart: refuse,
    suspend: refuse,
    resume: refuse,
    stop: () => Promise.resolve(),
  };
}

async function firstAnswer({
  product,
  variable,
  address,
  peers,
  probe,
}: GivenServer): Promise<string | null> {
  if (peers.length === 0) return null;
  try {
    return await Promise.any(peers.map(probe));
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors.map(String) : [String(error)];
    throw new Error(
      `${product} doesn't answer (${variable}=${withoutPassword(address)}): ${reasons.join('; ')}`,
      { cause: error },
    );
  }
}

/** `mongodb://user:secret@host` without the secret. */
export function withoutPassword(address: string): string {
  return address.replace(/(:\/\/[^:@/]*):[^@/]*@/, '$1:***@');
}

/** The addresses of a list as clients take it, `host:port,host:port`. */
export function peersOf(list: string, defaultPort: number): readonly Peer[] {
  return list
    .split(',')
    .map((entry) => /^\s*\[?(.+?)\]?(?::(\d+))?\s*$/.exec(entry))
    .filter((match) => match !== null)
    .map(([, host = '', port]) => ({ host, port: port === undefined ? defaultPort : Number(port) }));
}

/** The addresses of a MongoDB that is reached without TLS; none of one that isn't, or that a name stands for. */
export function mongodbPeersOf(url: string): readonly Peer[] {
  if (!url.startsWith('mongodb://') || /[?&](tls|ssl)=true/.test(url)) return [];
  return peersOf(/^mongodb:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1] ?? '', 27017);
}
