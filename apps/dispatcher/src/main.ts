import { runProcess } from '@posthorn/runtime';
import { dispatcherSpec, environment, readDispatcherConfig } from './config.ts';

await runProcess({
  name: 'dispatcher',
  summary: 'reads events from Kafka, delivers them, and keeps in MongoDB what became of them.',
  environment,
  spec: dispatcherSpec,
  readConfig: readDispatcherConfig,
  // Loaded when it is needed: a healthcheck needs none of it.
  start: async (config, context) => (await import('./run.ts')).run(config, context),
});
