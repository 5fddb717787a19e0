/** What a service's command line answers without running it. */
import { request } from 'node:http';
import { describeConfig, type ConfigSpec } from './config-reader.ts';

/** The text of `--help`; with `--json` the variables alone, one JSON object a line, of which docs/configuration.md is made. */
export function describeProcess(
  { name, summary, spec }: { readonly name: string; readonly summary: string; readonly spec: ConfigSpec },
  { json }: { readonly json: boolean },
): string {
  const variables = describeConfig(spec);
  if (json) return variables.map((variable) => `${JSON.stringify({ of: name, ...variable })}\n`).join('');
  return [
    `${name}: ${summary}`,
    '',
    '  --check-config   only reads the configuration: prints every problem, or that there is none',
    '  --healthcheck    asks the service that runs here whether it is ready',
    '  --help           prints this; with --json the variables alone, one a line',
    '',
    'Without arguments it runs until SIGTERM. It is configured by the environment:',
    '',
    ...variables.flatMap(({ variable, default: value, description, secret }) => [
      `  ${variable} (${value === null ? 'must be set' : value})`,
      `      ${description}${secret ? ` Secret: ${variable}_FILE may name a file instead.` : ''}`,
    ]),
    '',
  ].join('\n');
}

const patienceMs = 3_000;
const anyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Asks the admin port of the process that runs with the same environment. Never rejects. */
export function checkHealth({
  adminHost,
  adminPort,
}: {
  readonly adminHost: string;
  readonly adminPort: number;
}): Promise<{ readonly isHealthy: boolean; readonly message: string }> {
  const host = anyAddress[adminHost] ?? adminHost;
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(patienceMs);
    const fail = (error: Error): void =>
      resolve({ isHealthy: false, message: `no answer from ${host}:${adminPort}: ${error.message}` });
    const asking = request({ host, port: adminPort, path: '/readyz', signal }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (text: string) => (body += text));
      res.on('error', fail);
      res.on('end', () => resolve({ isHealthy: res.statusCode === 200, message: body.trim() }));
    });
    asking.on('error', fail);
    asking.end();
  });
}
