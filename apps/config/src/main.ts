import { runProcess } from '@posthorn/runtime';
import { configServiceSpec, environment, readConfigServiceConfig } from './config.ts';
import { run } from './run.ts';

await runProcess({
  name: 'config',
  summary: 'keeps organisations, API keys, event types, policies and endpoints, in MongoDB.',
  environment,
  spec: configServiceSpec,
  readConfig: readConfigServiceConfig,
  start: run,
});
