/**
 * The programs that the manifests are checked with, and where they come from. What is on the path is taken; the rest is
 * fetched once into a cache outside of the checkout (`$XDG_CACHE_HOME/posthorn/manifests`):
 *
 * - kustomize renders the overlays: `go install`
 * - kubernetes-validate has the schemas of Kubernetes: PyPI, in an environment of its own
 * - promtool checks and tests the alerts: Debian's package of Prometheus, unpacked, not installed
 * - the schemas of what others define (cert-manager, the Prometheus operator, KEDA): their Go modules
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface ManifestTools {
  /** Paths of the programs. */
  readonly kustomize: string;
  readonly kubernetesValidate: string;
  readonly promtool: string;
  /** Folders with CustomResourceDefinitions as YAML. */
  readonly definitionFolders: readonly string[];
}

const KUSTOMIZE = 'v5.7.1';
const KUBERNETES_VALIDATE = '1.37.0';
const DEFINITIONS = [
  { module: 'github.com/cert-manager/cert-manager', version: 'v1.18.2', folder: 'deploy/crds' },
  {
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    folder: 'example/prometheus-operator-crd',
  },
  { module: 'github.com/kedacore/keda/v2', version: 'v2.17.2', folder: 'config/crd/bases' },
];

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'posthorn/manifests');

/** Everything that is needed, fetched where it isn't there. Throws with what is missing and how to get it. */
export function ensureManifestTools(): ManifestTools {
  mkdirSync(cache, { recursive: true });
  return {
    kustomize: ensureKustomize(),
    kubernetesValidate: ensureKubernetesValidate(),
    promtool: ensurePromtool(),
    definitionFolders: ensureDefinitions(),
  };
}

function ensureKustomize(): string {
  const installed = join(cache, 'bin', `kustomize-${KUSTOMIZE}`, 'kustomize');
  if (existsSync(installed)) return installed;
  fetching(`kustomize ${KUSTOMIZE}`, 'Go (https://go.dev/dl)', () =>
    run('go', ['install', `sigs.k8s.io/kustomize/kustomize/v5@${KUSTOMIZE}`], {
      GOBIN: join(installed, '..'),
    }),
  );
  return installed;
}

function ensureKubernetesValidate(): string {
  const environment = join(cache, `kubernetes-validate-${KUBERNETES_VALIDATE}`);
  const installed = join(environment, 'bin/kubernetes-validate');
  if (existsSync(installed)) return installed;
  fetching(`kubernetes-validate ${KUBERNETES_VALIDATE}`, 'Python 3 with venv and pip', () => {
    run('python3', ['-m', 'venv', environment]);
    run(join(environment, 'bin/pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `kubernetes-validate==${KUBERNETES_VALIDATE}`,
    ]);
  });
  return installed;
}

function ensurePromtool(): string {
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'promtool'))
    .find((path) => existsSync(path));
  if (onPath !== undefined) return onPath;
  const unpacked = join(cache, 'prometheus');
  const installed = join(unpacked, 'usr/bin/promtool');
  if (existsSync(installed)) return installed;
  fetching('promtool', "Prometheus's promtool on the path (https://prometheus.io/download)", () => {
    mkdirSync(unpacked, { recursive: true });
    const download = (): void => run('apt-get', ['download', 'prometheus'], {}, unpacked);
    try {
      download();
    } catch {
      // The lists of packages may be missing or old.
      if (process.getuid?.() === 0) run('apt-get', ['update']);
      else run('sudo', ['-n', 'apt-get', 'update']);
      download();
    }
    const file = readdirSync(unpacked).find((name) => name.endsWith('.deb'));
    if (file === undefined) throw new Error('apt-get downloaded nothing');
    run('dpkg', ['-x', file, '.'], {}, unpacked);
  });
  return installed;
}

function ensureDefinitions(): readonly string[] {
  const folder = join(cache, 'definitions');
  mkdirSync(folder, { recursive: true });
  // `go mod download` wants to be inside of a module.
  writeFileSync(join(folder, 'go.mod'), 'module definitions\n');
  return DEFINITIONS.map(({ module, version, folder: inside }) => {
    let directory = '';
    fetching(`${module} ${version}`, 'Go (https://go.dev/dl)', () => {
      const answer = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
        cwd: folder,
        env: { ...process.env, GOFLAGS: '-mod=mod' },
        encoding: 'utf8',
        maxBuffer: 16 * 1024 * 1024,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      directory = (JSON.parse(answer) as { readonly Dir: string }).Dir;
    });
    return join(directory, inside);
  });
}

function fetching(what: string, needs: string, fetch: () => void): void {
  console.error(`manifests: ${what}`);
  try {
    fetch();
  } catch (error) {
    throw new Error(`${what} could not be had; it needs ${needs}, or put it into ${cache} by hand.`, {
      cause: error,
    });
  }
}

function run(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  cwd = cache,
): void {
  execFileSync(program, args, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
