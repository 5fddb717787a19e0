import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runCommand } from '../run-command.ts';
import { workspaceRoot } from '../workspace.ts';
import { SERVICES } from './services.ts';

/** A service of docker-compose.yml, as far as the tests look at it. */
interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly args: { readonly SERVICE: string } };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly stop_grace_period?: string;
  readonly profiles?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, { ipam: { config: [{ subnet: string }] } }>>;
}

const read = (path: string): string => readFileSync(join(workspaceRoot, path), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const ours = SERVICES.map((name): [string, ComposeService] => [name, serviceOf(name)]);
const all = Object.entries(compose.services);

function serviceOf(name: string): ComposeService {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

const known = new Set(
  Array.from(read('docs/configuration.md').matchAll(/^\| `(POSTHORN_\w+)`/gm), ([, name = '']) => name),
);

describe('docker-compose.yml', () => {
  it('builds and starts every service, as nobody and on a read-only file system', () => {
    for (const [name, service] of ours) {
      expect(service.build).toEqual({ context: '.', args: { SERVICE: name } });
      expect([service.user, service.read_only]).toEqual(['65532:65532', true]);
    }
    expect(read('Dockerfile')).toContain('ARG SERVICE');
  });

  it.each(ours)('gives %s settings that there are, and that it starts with', (name, service) => {
    const environment = Object.fromEntries(
      Object.entries(service.environment ?? {}).map(([variable, value]) => [variable, String(value)]),
    );
    const unknown = Object.keys(environment).filter(
      (variable) => !known.has(variable) && !known.has(variable.replace(/_FILE$/, '')),
    );
    expect(unknown).toEqual([]);

    const secrets = mkdtempSync(join(tmpdir(), 'posthorn-compose-'));
    runCommand('node', ['compose/make-secrets.mjs', secrets]);
    const given = Object.entries(environment).map(([variable, value]) => [
      variable,
      value.replace(/^\/secrets\//, `${secrets}/`),
    ]);
    const assignments = given.map((pair) => pair.join('='));
    const main = `apps/${name}/src/main.ts`;
    const checked = runCommand('env', [
      ...assignments,
      'node',
      '--conditions=@posthorn/source',
      main,
      '--check-config',
    ]);
    expect(checked.toString()).toBe('The configuration is valid.\n');
    rmSync(secrets, { recursive: true });
  });

  it('names images by an exact tag', () => {
    for (const [, { image }] of all) expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-\w+)?$/);
    const { node } = Object.groupBy(all, ([, { image }]) => image.split(':')[0] ?? '');
    const base = /^FROM (\S+)$/m.exec(read('Dockerfile'))?.[1];
    expect([...new Set(node?.map(([, { image }]) => image))]).toEqual([base]);
  });

  it('reaches each service under the address and the port that it has', () => {
    for (const [, { environment = {} }] of ours) {
      for (const [variable, service] of [
        ['POSTHORN_CONFIG_ADDRESS', 'config'],
        ['POSTHORN_INGEST_ADDRESS', 'event-ingest'],
        ['POSTHORN_DISPATCHER_ADDRESS', 'dispatcher'],
      ] as const) {
        const port = serviceOf(service).environment?.['POSTHORN_GRPC_PORT'];
        expect(environment[variable]).toBe(`${service}:${port}`);
      }
    }
    const { environment, ports } = serviceOf('gateway');
    expect(ports).toEqual([`127.0.0.1:8080:${environment?.['POSTHORN_PORT']}`]);
    expect(serviceOf('demo').environment?.['GATEWAY_URL']).toBe(
      `http://gateway:${environment?.['POSTHORN_PORT']}`,
    );
  });

  it('waits for what is healthy, or has ended, and only for what can be', () => {
    for (const [name, { depends_on = {} }] of all) {
      if (Array.isArray(depends_on)) continue;
      for (const [other, { condition }] of Object.entries(
        depends_on as Record<string, { condition: string }>,
      )) {
        const dependency = serviceOf(other);
        const isChecked = dependency.healthcheck !== undefined || dependency.build !== undefined;
        expect([name, other, condition]).toEqual([
          name,
          other,
          isChecked ? 'service_healthy' : 'service_completed_successfully',
        ]);
      }
    }
  });

  it('is reached from this machine only', () => {
    for (const [, { ports = [] }] of all) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('mounts files and volumes that there are', () => {
    for (const [, { volumes = [] }] of all) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./')) expect(existsSync(join(workspaceRoot, source))).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });

  it('lets deliveries reach its own containers and no other private address', () => {
    const [{ subnet }] = compose.networks['posthorn']?.ipam.config ?? [{ subnet: '' }];
    for (const [, { environment }] of ours) expect(environment?.['POSTHORN_ALLOW_TARGETS']).toBe(subnet);
  });

  it('gives every service longer to stop than it takes', () => {
    for (const [, { environment, stop_grace_period }] of ours) {
      const timeout = String(environment?.['POSTHORN_STOP_TIMEOUT_MS'] ?? '25s');
      expect(Number.parseInt(stop_grace_period ?? '')).toBeGreaterThanOrEqual(Number.parseInt(timeout) + 5);
    }
  });

  it('scrapes every service, and shows what is scraped', () => {
    const { scrape_configs } = parse(read('compose/prometheus.yml'), { merge: true }) as {
      scrape_configs: { job_name: string; dns_sd_configs: [{ names: string[]; port: number }] }[];
    };
    expect(
      scrape_configs.map(({ job_name, dns_sd_configs: [{ names, port }] }) => [job_name, names, port]),
    ).toEqual(ours.map(([name, { environment }]) => [name, [name], environment?.['POSTHORN_ADMIN_PORT']]));
  });

  it('makes keys once, for the services only', () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-compose-'));
    const make = (): string => runCommand('node', ['compose/make-secrets.mjs', folder]).toString();
    expect(make()).toContain('operator-key');
    const key = readFileSync(join(folder, 'encryption-key'), 'utf8');
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    expect(statSync(join(folder, 'operator-key')).mode & 0o777).toBe(0o400);
    expect(make()).toBe('');
    expect(readFileSync(join(folder, 'encryption-key'), 'utf8')).toBe(key);
    rmSync(folder, { recursive: true });
  });
});
