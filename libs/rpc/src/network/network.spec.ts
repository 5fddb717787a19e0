import { ingestV1 } from '@posthorn/contracts';
import { createLogger, createMetrics } from '@posthorn/runtime';
import { createNetworkClient } from './network-client.ts';
import { principalFromMetadata } from '../calls/principal.ts';
import { createRpcServer } from './server.ts';
import { describeTransport } from '../transport.contract.ts';

describeTransport('over the network', async (registration) => {
  const logLines: string[] = [];
  const metrics = createMetrics();
  const server = createRpcServer({
    services: [registration],
    authenticate: principalFromMetadata,
    host: '127.0.0.1',
    port: 0,
    logger: createLogger({
      service: 'test',
      level: 'debug',
      destination: { write: (line) => logLines.push(line) },
    }),
    metrics,
  });
  const client = createNetworkClient(ingestV1.IngestServiceService, `127.0.0.1:${await server.start()}`);
  return {
    client,
    metrics: () => metrics.render(),
    logLines,
    close: async () => {
      client.close();
      await server.stop(0);
    },
  };
});
