import { createLogger, createMetrics, systemClock } from '@posthorn/runtime';
import { createInProcessClient } from './in-process.ts';
import { describeTransport } from './transport.contract.ts';

describeTransport('in process', async (registration) => {
  const logLines: string[] = [];
  const metrics = createMetrics();
  const logger = createLogger({
    service: 'test',
    level: 'debug',
    destination: { write: (line) => logLines.push(line) },
  });
  return {
    client: createInProcessClient(registration, { logger, metrics, clock: systemClock }),
    metrics: () => metrics.render(),
    logLines,
    close: async () => undefined,
  };
});
