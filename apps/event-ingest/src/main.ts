import { runProcess } from '@posthorn/runtime';
import { environment, ingestSpec, readIngestConfig } from './config.ts';

await runProcess({
  name: 'event-ingest',
  summary: 'accepts events, and answers when they are durable in Kafka.',
  environment,
  spec: ingestSpec,
  readConfig: readIngestConfig,
  // Loaded when it is needed: a healthcheck needs none of it.
  start: async (config, context) => (await import('./run.ts')).run(config, context),
});
