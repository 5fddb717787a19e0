import { runProcess } from '@posthorn/runtime';
import { environment, gatewaySpec, readGatewayValues } from './config.ts';
import { run } from './run.ts';

await runProcess({
  name: 'gateway',
  summary: 'serves the REST API, and hands what it is asked on to the other services.',
  environment,
  spec: gatewaySpec,
  readConfig: readGatewayValues,
  start: run,
});
