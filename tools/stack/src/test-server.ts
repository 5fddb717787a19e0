import type { Progress } from './progress.ts';

/** Where a server came from: given by URL, an official image, Maven Central, or built by cargo. */
export type ServerSource = 'url' | 'docker' | 'maven' | 'cargo';

/**
 * A server for tests that can be made to fail. Port and data stay the same over `kill` and `restart`.
 *
 * A server that was given by URL belongs to somebody else: everything but `stop` (which leaves it alone) is refused.
 */
export interface TestServer {
  readonly source: ServerSource;
  /** The version of the program that runs; `unknown` when a server that was given doesn't tell. */
  readonly version: string;
  /** What runs and where it came from, for a person; what figures and logs should name. */
  readonly description: string;
  /** Whether `kill`, `restart`, `suspend` and `resume` work. */
  readonly canBeKilled: boolean;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again and waits until it answers; one that runs is first ended as its makers want it, by SIGTERM. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, and nobody answers. */
  suspend(): Promise<void>;
  /** SIGCONT. */
  resume(): Promise<void>;
  /** Ends it and removes its data, unless these are in a directory that the caller chose. May be called again. */
  stop(): Promise<void>;
}

export interface KafkaServer extends TestServer {
  /** `host:port`, as clients take them. */
  readonly brokers: readonly string[];
  /** Those of the listener that asks who one is, where it was asked for. */
  readonly saslBrokers: readonly string[];
  /** Where it listens itself, on 127.0.0.1, whatever clients are told; null for one that was given. */
  readonly port: number | null;
}

export interface MongodbServer extends TestServer {
  /** `mongodb://…`, without a database's name. */
  readonly url: string;
}

/** How a server is started. */
export interface StartOptions {
  /** One of the caller's own, which may be killed, even when one was given by URL. */
  readonly own?: boolean;
  /** On 127.0.0.1; a free one when absent. */
  readonly port?: number;
  /** Where it keeps its data, which then outlive it; a directory of its own that is removed when absent. */
  readonly dataDir?: string;
  /** Who is told what happens meanwhile; nobody when absent. */
  readonly progress?: Progress;
}
