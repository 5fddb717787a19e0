/** `npm run stack`: a Kafka and a MongoDB for a developer at a prompt, in the foreground. */
import { requireFreePort } from '@posthorn/testing';
import { kafkaBrokersVariable, mongodbUrlVariable } from './config.ts';
import { ensureKafka, startKafka } from './kafka.ts';
import { ensureMongodb, startMongodb } from './mongodb.ts';
import { createProgress } from './progress.ts';
import type { ServerName, StackCommand } from './stack-command.ts';
import { help, parseStackCommand } from './stack-command.ts';
import type { StartOptions, TestServer } from './test-server.ts';

const progress = createProgress({
  write: (text) => process.stderr.write(text),
  columns: process.stderr.columns,
});

/** How each server is had ready, and started; the latter answers what to put into the environment as well. */
const servers: Readonly<
  Record<
    ServerName,
    {
      readonly ensure: () => Promise<string>;
      readonly start: (options: StartOptions) => Promise<readonly [TestServer, variable: string]>;
    }
  >
> = {
  kafka: {
    ensure: () => ensureKafka(progress),
    async start(options) {
      const kafka = await startKafka(options);
      return [kafka, `${kafkaBrokersVariable}=${kafka.brokers.join(',')}`];
    },
  },
  mongodb: {
    ensure: () => ensureMongodb(progress),
    async start(options) {
      const mongodb = await startMongodb(options);
      return [mongodb, `${mongodbUrlVariable}='${mongodb.url}'`];
    },
  },
};

async function run(command: StackCommand): Promise<void> {
  switch (command.name) {
    case 'help':
      console.log(help);
      return;
    case 'fetch':
      for (const name of command.servers) progress.step(`${await servers[name].ensure()} is ready`);
      return;
    case 'start':
      await start(command);
  }
}

async function start({ servers: names, ports, dataDirs }: StackCommand & { name: 'start' }): Promise<void> {
  const running: TestServer[] = [];
  const stopAll = (): Promise<unknown> => Promise.all(running.map((server) => server.stop()));
  try {
    for (const name of names) await requireFreePort(ports[name], `--${name}-port`);
    const variables: string[] = [];
    for (const name of names) {
      const dataDir = dataDirs[name];
      const [server, variable] = await servers[name].start({
        own: true,
        port: ports[name],
        progress,
        ...(dataDir === undefined ? {} : { dataDir }),
      });
      running.push(server);
      variables.push(variable);
      progress.step(`${server.description} runs`);
    }
    console.log(variables.map((variable) => `export ${variable}`).join('\n'));
    progress.step('Ctrl-C stops it');
    // Until now a signal has ended this process at once, and the guardians of the servers have ended them.
    await new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
    });
  } finally {
    await stopAll();
  }
}

try {
  await run(parseStackCommand(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
