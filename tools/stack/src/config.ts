import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the environment says about the servers for the tests; read each time, since the suites are told through it. */
export interface StackConfig {
  /** Brokers to be used as they are, `host:port,host:port`; undefined when there are none. */
  readonly kafkaBrokers: string | undefined;
  /** A MongoDB to be used as it is, without a database's name in the URL; undefined when there is none. */
  readonly mongodbUrl: string | undefined;
  /** Where what is fetched or built is kept, for all checkouts of this user. */
  readonly cacheDir: string;
}

export const kafkaBrokersVariable = 'POSTHORN_TEST_KAFKA_BROKERS';
export const mongodbUrlVariable = 'POSTHORN_TEST_MONGODB_URL';

/** Reads it; an empty variable counts as none. */
export function readStackConfig(env: Readonly<NodeJS.ProcessEnv> = process.env): StackConfig {
  const cacheHome = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return {
    kafkaBrokers: env[kafkaBrokersVariable] || undefined,
    mongodbUrl: env[mongodbUrlVariable] || undefined,
    cacheDir: join(cacheHome, 'posthorn/stack'),
  };
}
