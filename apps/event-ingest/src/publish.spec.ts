import {
  createInProcessClient,
  createNetworkClient,
  createRpcServer,
  principalFromMetadata,
} from '@posthorn/rpc';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { publishContract } from './publish.contract.ts';

const observed = { logger: silentLogger, metrics: createMetrics() };

describe('IngestService within the process', () => {
  publishContract((registration) =>
    Promise.resolve({
      client: createInProcessClient(registration, { ...observed, clock: systemClock }),
      close: () => Promise.resolve(),
    }),
  );
});

describe('IngestService over the network', () => {
  publishContract(async (registration) => {
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
  });
});
