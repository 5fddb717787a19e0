import { runProcess } from '@posthorn/runtime';
import { environment, ingestSpec, readIngestConfig } from './config.ts';
import { run } from './run.ts';

await runProcess({
  name: 'event-ingest',
  summary: 'accepts events, and answers when they are durable in Kafka.',
  environment,
  spec: ingestSpec,
  readConfig: readIngestConfig,
  start: run,
});
