import { runProcess } from '@posthorn/runtime';
import { configServiceSpec, environment, readConfigServiceConfig } from './config.ts';

await runProcess({
  name: 'config',
  summary: 'keeps organisations, API keys, event types, policies and endpoints, in MongoDB.',
  environment,
  spec: configServiceSpec,
  readConfig: readConfigServiceConfig,
  // Loaded when it is needed: a healthcheck needs none of it.
  start: async (config, context) => (await import('./run.ts')).run(config, context),
});
