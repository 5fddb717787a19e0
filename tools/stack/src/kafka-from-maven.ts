/**
 * A real Kafka from Maven Central: the jars of its release, run by the Java that is there.
 *
 * The classes that a broker loads are archived once, which makes a restart two or three times as quick.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@posthorn/testing';
import { fillOnce } from './cache.ts';
import { probeKafka } from './kafka-probe.ts';
import { asProperties, kafkaSettings } from './kafka-settings.ts';
import type { KafkaAddresses } from './kafka-settings.ts';
import { createProcessRunner } from './process-runner.ts';
import type { Progress } from './progress.ts';
import { runTool } from './run-tool.ts';
import type { Runner } from './runner.ts';
import { serverDirectory } from './server-directory.ts';
import { startServer } from './started-server.ts';

export const kafkaVersion = '4.3.1';

const oldestJava = 17;
const clusterId = 'UG9zdGhvcm4tdGVzdC0wMQ';
const askLimitMs = 20_000;
const fetchLimitMs = 10 * 60_000;
const formatLimitMs = 60_000;
/** Small and quick to start; there is little to compile in a broker that lives for a minute. */
const javaOptions = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xlog:disable'];
const logLevel = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';

/** Kafka on this machine, ready to be started. */
export interface MavenKafka {
  readonly libraries: string;
  /** Of the classes; absent when it couldn't be made. */
  readonly classArchive: string;
  readonly javaVersion: string;
}

/** Has it ready, fetched if need be; answers why that isn't possible as text. */
export async function prepareMavenKafka(cacheDir: string, progress: Progress): Promise<MavenKafka | string> {
  const javaVersion = await findJavaVersion();
  if (javaVersion === null || Number.parseInt(javaVersion, 10) < oldestJava) {
    return `Maven Central: needs Java ${oldestJava} or newer, which is ${javaVersion === null ? "not there ('java')" : javaVersion}`;
  }
  const home = join(cacheDir, `kafka-${kafkaVersion}`);
  const problem = await fillOnce(home, progress, (directory) => fetchLibraries(directory, progress));
  if (problem !== null) return problem;

  const libraries = join(home, 'lib');
  const archives = join(cacheDir, `kafka-${kafkaVersion}-classes-java-${javaVersion}`);
  const kafka = { libraries, classArchive: join(archives, 'kafka.jsa'), javaVersion };
  const archiveProblem = await fillOnce(archives, progress, (directory) =>
    archiveClasses(libraries, directory, progress),
  );
  return archiveProblem ?? kafka;
}

async function findJavaVersion(): Promise<string | null> {
  const { output } = await runTool('java', ['-version'], { timeLimitMs: askLimitMs });
  return /version "([^"]+)"/.exec(output)?.[1] ?? null;
}

async function fetchLibraries(directory: string, progress: Progress): Promise<string | null> {
  progress.step(`fetching Kafka ${kafkaVersion} from Maven Central (45 MB)`);
  const pom = join(directory, 'pom.xml');
  writeFileSync(
    pom,
    projectOf(['org.apache.kafka:kafka_2.13:' + kafkaVersion, 'org.slf4j:slf4j-simple:1.7.36']),
  );
  const { code, output } = await runTool(
    'mvn',
    [
      '--batch-mode',
      '--file',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(directory, 'lib')}`,
    ],
    { timeLimitMs: fetchLimitMs, onLine: (line) => progress.detail(line) },
  );
  if (code === 0) return null;
  const error = output.split('\n').find((line) => line.includes('ERROR')) ?? output.trim().split('\n').at(-1);
  return `Maven Central: 'mvn' couldn't fetch Kafka: ${error}`;
}

/** A project that has nothing but dependencies. */
function projectOf(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>posthorn</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    ${dependencies.join('\n    ')}
  </dependencies>
</project>
`;
}

/** Runs a broker once and has Java write down the classes that it loaded. */
async function archiveClasses(
  libraries: string,
  directory: string,
  progress: Progress,
): Promise<string | null> {
  progress.step('archiving the classes of Kafka, for quick starts');
  const port = await freePort();
  const addresses = {
    port,
    advertisedPort: port,
    controllerPort: await freePort(port),
    listenHost: '127.0.0.1',
  };
  const archive = join(directory, 'kafka.jsa');
  const runner = await createMavenRunner({
    libraries,
    archiveOption: `-XX:ArchiveClassesAtExit=${archive}`,
    addresses,
    ...serverDirectory('kafka'),
  });
  try {
    await startServer({
      source: 'maven',
      version: kafkaVersion,
      description: `Kafka ${kafkaVersion}`,
      probe: () => probeKafka({ host: '127.0.0.1', port }),
      runner,
    });
    await runner.end();
  } finally {
    await runner.dispose();
  }
  return existsSync(archive) ? null : 'Java wrote no archive of the classes of Kafka';
}

export interface MavenRunnerOptions {
  readonly libraries: string;
  /** For Java: what to do about the archive of classes. */
  readonly archiveOption: string;
  readonly addresses: KafkaAddresses;
  readonly directory: string;
  readonly isTemporary: boolean;
}

/** What runs a broker on a directory, which is made ready for it unless a broker has used it before. */
export async function createMavenRunner(options: MavenRunnerOptions): Promise<Runner> {
  const { libraries, archiveOption, addresses, directory, isTemporary } = options;
  const properties = join(directory, 'server.properties');
  const data = join(directory, 'log');
  writeFileSync(properties, asProperties({ ...kafkaSettings(addresses), 'log.dirs': data }));
  const classPath = ['-cp', join(libraries, '*')];
  const formatted = await runTool(
    'java',
    [
      ...['-Xmx128m', ...javaOptions, logLevel, ...classPath],
      ...['kafka.tools.StorageTool', 'format', '--ignore-formatted'],
      ...['--cluster-id', clusterId, '--config', properties],
    ],
    { timeLimitMs: formatLimitMs },
  );
  if (formatted.code !== 0) throw new Error(`Kafka's storage couldn't be prepared:\n${formatted.output}`);
  return createProcessRunner({
    command: 'java',
    args: ['-Xmx256m', ...javaOptions, archiveOption, logLevel, ...classPath, 'kafka.Kafka', properties],
    directory,
    isTemporary,
  });
}
