/**
 * A MongoDB for tests: the one that was given, else Docker's official image, else secantusd-rs in its place.
 *
 * All of them are replica sets, of one member: a server on its own refuses some reads and writes that the platform uses.
 */
import { freePort } from '@posthorn/testing';
import { mongodbUrlVariable, readStackConfig } from './config.ts';
import { createContainerRunner, hasDockerEngine, pullImage, refuseDataDir } from './docker.ts';
import { mongodbPeersOf, useGivenServer } from './given-server.ts';
import { MissingServerError } from './missing-server.ts';
import { createSecantusRunner, prepareSecantus, secantusVersion } from './mongodb-from-cargo.ts';
import { initiateReplicaSet, probeMongodb } from './mongodb-probe.ts';
import { silent } from './progress.ts';
import type { Progress } from './progress.ts';
import { serverDirectory } from './server-directory.ts';
import { startServer } from './started-server.ts';
import type { MongodbServer, StartOptions, TestServer } from './test-server.ts';

export const mongodbImage = 'mongo:8';
const imageVersion = '8';
const replicaSet = 'posthorn';

type Installation = { readonly source: 'docker' } | { readonly source: 'cargo'; readonly program: string };

/**
 * Has a MongoDB ready that can be started, fetched or built if need be.
 *
 * @returns what it is, for a person
 * @throws MissingServerError when no way works
 */
export async function ensureMongodb(progress: Progress = silent): Promise<string> {
  return describe(await prepare(progress));
}

/**
 * Starts a MongoDB, or answers the one that was given.
 *
 * @throws MissingServerError when no way to have one works
 */
export async function startMongodb(options: StartOptions = {}): Promise<MongodbServer> {
  const { own = false, progress = silent } = options;
  const given = readStackConfig().mongodbUrl;
  if (given !== undefined && !own) return givenMongodb(given);

  const installation = await prepare(progress);
  const port = options.port ?? (await freePort());
  const server =
    installation.source === 'docker'
      ? await startImage(port, options)
      : await startSecantus(installation.program, port, options);
  return { ...server, url: `mongodb://127.0.0.1:${port}/?directConnection=true` };
}

async function startImage(port: number, { dataDir }: StartOptions): Promise<TestServer> {
  refuseDataDir(dataDir);
  const peer = { host: '127.0.0.1', port };
  let version = imageVersion;
  const server = await startServer({
    source: 'docker',
    version,
    description: describe({ source: 'docker' }),
    async probe() {
      await initiateReplicaSet(peer, replicaSet);
      version = (await probeMongodb(peer)) ?? imageVersion;
    },
    runner: createContainerRunner({
      image: mongodbImage,
      product: 'mongodb',
      port,
      args: ['--replSet', replicaSet, '--port', String(port), '--bind_ip_all'],
    }),
  });
  return { ...server, version, description: `MongoDB ${version} (Docker image ${mongodbImage})` };
}

function startSecantus(program: string, port: number, { dataDir }: StartOptions): Promise<TestServer> {
  return startServer({
    source: 'cargo',
    version: secantusVersion,
    description: describe({ source: 'cargo', program }),
    probe: () => probeMongodb({ host: '127.0.0.1', port }),
    runner: createSecantusRunner({ program, port, ...serverDirectory('mongodb', dataDir) }),
  });
}

function describe(installation: Installation): string {
  switch (installation.source) {
    case 'docker':
      return `MongoDB ${imageVersion} (Docker image ${mongodbImage})`;
    case 'cargo':
      return `secantusd-rs ${secantusVersion} in place of MongoDB (crates.io)`;
  }
}

async function prepare(progress: Progress): Promise<Installation> {
  const tried: string[] = [`${mongodbUrlVariable} isn't set`];
  if (await hasDockerEngine()) {
    const problem = await pullImage(mongodbImage, progress);
    if (problem === null) return { source: 'docker' };
    tried.push(problem);
    progress.step(problem);
  } else {
    tried.push('no Docker engine answers');
  }
  const built = await prepareSecantus(readStackConfig().cacheDir, progress);
  if ('program' in built) return { source: 'cargo', program: built.program };
  throw new MissingServerError(
    'MongoDB',
    [...tried, built.problem],
    [
      `give one, a replica set: ${mongodbUrlVariable}=mongodb://host:port`,
      `start a Docker engine; the image is ${mongodbImage}`,
      'install Rust (https://rustup.rs), and on Debian: apt-get install cmake make g++',
    ],
  );
}

async function givenMongodb(given: string): Promise<MongodbServer> {
  const server = await useGivenServer({
    product: 'MongoDB',
    variable: mongodbUrlVariable,
    address: given,
    peers: mongodbPeersOf(given),
    probe: probeMongodb,
  });
  return { ...server, url: given };
}
