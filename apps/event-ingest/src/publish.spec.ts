import {
  createInProcessClient,
  createNetworkClient,
  createRpcServer,
  principalFromMetadata,
} from '@posthorn/rpc';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { acceptContract } from './accept.contract.ts';
import type { Connect } from './ingest.harness.ts';
import { keyedPublishContract } from './keyed-publish.contract.ts';
import { limitsContract } from './limits/limits.contract.ts';
import { publishContract } from './publish.contract.ts';

const observed = { logger: silentLogger, metrics: createMetrics() };

const inProcess: Connect = (registration) =>
  Promise.resolve({
    client: createInProcessClient(registration, { ...observed, clock: systemClock }),
    close: () => Promise.resolve(),
  });

const overTheNetwork: Connect = async (registration) => {
  const server = createRpcServer({
    ...observed,
    services: [registration],
    authenticate: principalFromMetadata,
    host: '127.0.0.1',
    port: 0,
  });
  const client = createNetworkClient(registration.definition, `127.0.0.1:${await server.start()}`);
  return {
    client,
    async close() {
      client.close();
      await server.stop(0);
    },
  };
};

describe.each([
  ['within the process', inProcess],
  ['over the network', overTheNetwork],
])('IngestService %s', (_, connect) => {
  acceptContract(connect);
  keyedPublishContract(connect);
  publishContract(connect);
  limitsContract(connect);
});
