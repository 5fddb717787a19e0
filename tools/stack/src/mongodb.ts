/**
 * A MongoDB for tests: the one that was given, else Docker's official image, else secantusd-rs in its place.
 *
 * All of them are replica sets, of one member: a server on its own refuses some reads and writes that the platform uses.
 */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { mongodbUrlVariable, readStackConfig } from './config.ts';
import { createContainerRunner, hasDockerEngine, pullImage } from './docker.ts';
import { freePort } from './free-port.ts';
import { peersOf, useGivenServer } from './given-server.ts';
import { MissingServerError } from './missing-server.ts';
import { createSecantusRunner, prepareSecantus, secantusVersion } from './mongodb-from-cargo.ts';
import { initiateReplicaSet, probeMongodb } from './mongodb-probe.ts';
import { startServer } from './started-server.ts';
import type { MongodbServer, StartOptions } from './test-server.ts';

const image = 'mongo:8';
const imageVersion = '8';
const replicaSet = 'posthorn';
const defaultPort = 27017;

type Installation = { readonly source: 'docker' } | { readonly source: 'cargo'; readonly program: string };

/**
 * Has a MongoDB ready that can be started, fetched or built if need be.
 *
 * @returns what it is, for a person
 * @throws MissingServerError when no way works
 */
export async function ensureMongodb(onProgress: (line: string) => void = () => {}): Promise<string> {
  return describe(await prepare(onProgress));
}

/**
 * Starts a MongoDB, or answers the one that was given.
 *
 * @throws MissingServerError when no way to have one works
 */
export async function startMongodb(options: StartOptions = {}): Promise<MongodbServer> {
  const { own = false, onProgress = () => {} } = options;
  const given = readStackConfig().mongodbUrl;
  if (given !== undefined && !own) return givenMongodb(given);

  const installation = await prepare(onProgress);
  const port = options.port ?? (await freePort());
  const peer = { host: '127.0.0.1', port };
  const directory = options.dataDir ?? mkdtempSync(join(tmpdir(), 'posthorn-mongodb-'));
  mkdirSync(directory, { recursive: true });
  const inDocker = installation.source === 'docker';
  const server = await startServer({
    source: installation.source,
    version: inDocker ? imageVersion : secantusVersion,
    description: describe(installation),
    async probe() {
      if (inDocker) await initiateReplicaSet(peer, replicaSet);
      await probeMongodb(peer);
    },
    runner: inDocker
      ? createContainerRunner({
          image,
          name: basename(directory),
          port,
          args: ['--replSet', replicaSet, '--port', String(port), '--bind_ip_all'],
        })
      : createSecantusRunner({
          program: installation.program,
          port,
          directory,
          isTemporary: options.dataDir === undefined,
        }),
  });
  return { ...server, url: `mongodb://127.0.0.1:${port}/?directConnection=true` };
}

function describe(installation: Installation): string {
  switch (installation.source) {
    case 'docker':
      return `MongoDB ${imageVersion} (Docker image ${image})`;
    case 'cargo':
      return `secantusd-rs ${secantusVersion} in place of MongoDB (crates.io)`;
  }
}

async function prepare(onProgress: (line: string) => void): Promise<Installation> {
  const tried: string[] = [`${mongodbUrlVariable} isn't set`];
  if (await hasDockerEngine()) {
    const problem = await pullImage(image, onProgress);
    if (problem === null) return { source: 'docker' };
    tried.push(problem);
    onProgress(problem);
  } else {
    tried.push('no Docker engine answers');
  }
  const built = await prepareSecantus(readStackConfig().cacheDir, onProgress);
  if ('program' in built) return { source: 'cargo', program: built.program };
  throw new MissingServerError(
    'MongoDB',
    [...tried, built.problem],
    [
      `give one, a replica set: ${mongodbUrlVariable}=mongodb://host:port`,
      `start a Docker engine; the image is ${image}`,
      'install Rust (https://rustup.rs), and on Debian: apt-get install cmake make g++',
    ],
  );
}

async function givenMongodb(given: string): Promise<MongodbServer> {
  const isPlain = given.startsWith('mongodb://') && !/[?&](tls|ssl)=true/.test(given);
  const hosts = /^mongodb:\/\/(?:[^@/]*@)?([^/?]+)/.exec(given)?.[1] ?? '';
  const server = await useGivenServer({
    product: 'MongoDB',
    variable: mongodbUrlVariable,
    address: given,
    peers: isPlain ? peersOf(hosts, defaultPort) : [],
    probe: probeMongodb,
  });
  return { ...server, url: given };
}
