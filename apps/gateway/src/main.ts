import { runProcess } from '@posthorn/runtime';
import { environment, gatewaySpec, readGatewayValues } from './config.ts';

await runProcess({
  name: 'gateway',
  summary: 'serves the REST API, and hands what it is asked on to the other services.',
  environment,
  spec: gatewaySpec,
  readConfig: readGatewayValues,
  // Loaded when it is needed: a healthcheck needs none of it.
  start: async (config, context) => (await import('./run.ts')).run(config, context),
});
