/** What `npm run stack` was asked to do. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export type StackCommand =
  | { readonly name: 'help' }
  | { readonly name: 'fetch'; readonly servers: readonly ServerName[] }
  | {
      readonly name: 'start';
      readonly servers: readonly ServerName[];
      readonly ports: Readonly<Record<ServerName, number>>;
      /** Of each server; undefined for one that goes away with it. */
      readonly dataDirs: Readonly<Record<ServerName, string | undefined>>;
    };

export type ServerName = 'kafka' | 'mongodb';

export const help = `Usage: npm run stack -- [fetch] [options]

Starts a Kafka and a MongoDB for development and tests, until Ctrl-C. With "fetch" it only has them
ready, fetched or built if need be.

  --kafka-port N     where Kafka listens on 127.0.0.1 (9092)
  --mongodb-port N   where MongoDB listens on 127.0.0.1 (27017)
  --data-dir DIR     keeps their data there; without it they go away at the end
  --only NAME        only kafka, or only mongodb
  --help             this text`;

const servers: readonly ServerName[] = ['kafka', 'mongodb'];

/** @throws Error that says what is wrong with the arguments */
export function parseStackCommand(args: readonly string[]): StackCommand {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'kafka-port': { type: 'string', default: '9092' },
      'mongodb-port': { type: 'string', default: '27017' },
      'data-dir': { type: 'string' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { name: 'help' };
  const { only, 'data-dir': dataDir } = values;
  const chosen = only === undefined ? servers : servers.filter((name) => name === only);
  if (chosen.length === 0) throw new Error(`--only takes kafka or mongodb, not ${only}`);
  const [verb, ...others] = positionals;
  if ((verb !== undefined && verb !== 'fetch') || others.length > 0) {
    throw new Error(`"fetch" or nothing, not ${positionals.join(' ')}`);
  }
  if (verb === 'fetch') return { name: 'fetch', servers: chosen };
  const directoryOf = (name: ServerName): string | undefined =>
    dataDir === undefined ? undefined : join(resolve(dataDir), name);
  return {
    name: 'start',
    servers: chosen,
    ports: {
      kafka: readPort('--kafka-port', values['kafka-port']),
      mongodb: readPort('--mongodb-port', values['mongodb-port']),
    },
    dataDirs: { kafka: directoryOf('kafka'), mongodb: directoryOf('mongodb') },
  };
}

function readPort(option: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Error(`${option} isn't a port: ${text}`);
  return port;
}
