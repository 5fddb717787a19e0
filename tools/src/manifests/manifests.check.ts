/**
 * What is held of the manifests under `k8s`: every overlay renders, each resource obeys the schema of its kind, those that others
 * define included, and what docs/kubernetes.md promises of pods, networks, secrets and alerts is there.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { stringify } from 'yaml';
import { workspaceRoot } from '../workspace.ts';
import { ensureManifestTools } from './manifest-tools.ts';
import { parseResources, render, type Resource } from './render.ts';

const tools = ensureManifestTools();
const folder = mkdtempSync(join(tmpdir(), 'posthorn-manifests-'));
after(() => rmSync(folder, { recursive: true }));

const read = (path: string): string => readFileSync(join(workspaceRoot, path), 'utf8');
const rendered = [
  render(tools.kustomize, 'development'),
  render(tools.kustomize, 'production'),
  render(tools.kustomize, 'production', ['keda']),
  render(tools.kustomize, 'production', ['oidc']),
];
const SERVICES = ['config', 'dispatcher', 'event-ingest', 'gateway'];

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly topologySpreadConstraints: readonly { readonly topologyKey: string }[];
}
interface PodSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly values: readonly string[] }[];
}
interface Peer {
  readonly podSelector?: PodSelector;
  readonly ipBlock?: { readonly cidr: string };
}
interface NetworkPolicySpec {
  readonly podSelector: PodSelector;
  readonly ingress?: readonly {
    readonly from?: readonly Peer[];
    readonly ports?: readonly { readonly port: number }[];
  }[];
  readonly egress?: readonly { readonly to?: readonly Peer[] }[];
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet?: { readonly path: string }; readonly grpc?: unknown };
  readonly lifecycle: { readonly preStop?: unknown };
  readonly resources: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>;
  readonly securityContext: Readonly<Record<string, unknown>>;
}

const componentLabel = 'app.kubernetes.io/component';

/** The services that a selector picks. */
function componentsOf({ matchLabels, matchExpressions = [] }: PodSelector): readonly string[] {
  const named = matchLabels?.[componentLabel];
  const listed = matchExpressions.filter(({ key }) => key === componentLabel).flatMap(({ values }) => values);
  return (named === undefined ? listed : [named, ...listed]).filter((name) => SERVICES.includes(name));
}

/** The calls between services that policies speak of on one side, as `caller > called`. */
function callsIn(
  policies: readonly NetworkPolicySpec[],
  peersOf: (spec: NetworkPolicySpec) => readonly Peer[],
  call: (self: string, peer: string) => string,
): readonly string[] {
  const calls = policies.flatMap((spec) =>
    componentsOf(spec.podSelector).flatMap((self) =>
      peersOf(spec).flatMap(({ podSelector = {} }) =>
        componentsOf(podSelector).map((peer) => call(self, peer)),
      ),
    ),
  );
  return [...new Set(calls)].sort();
}

function podOf(resource: Resource): Pod {
  return (resource['spec'] as { readonly template: { readonly spec: Pod } }).template.spec;
}

function deploymentsOf(
  resources: readonly Resource[],
): readonly { component: string; pod: Pod; container: Container }[] {
  return resources
    .filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name.startsWith('posthorn-'))
    .map((resource) => {
      const pod = podOf(resource);
      const container = pod.containers[0];
      assert.ok(container);
      return { component: resource.metadata.name.replace('posthorn-', ''), pod, container };
    });
}

/** The schema of a kind that isn't Kubernetes' own, as strict as the API server: what a definition doesn't know is refused. */
function customSchema({ apiVersion, kind }: Resource): object | undefined {
  for (const file of tools.definitionFolders.flatMap((definitions) =>
    globSync(join(definitions, '*.yaml')),
  )) {
    const text = readFileSync(file, 'utf8');
    if (!text.includes(`kind: ${kind}\n`)) continue;
    for (const definition of parseResources(text)) {
      const { group, names, versions } = definition['spec'] as Definition;
      const version = versions.find(({ name }) => `${group}/${name}` === apiVersion);
      if (names.kind === kind && version !== undefined)
        return strict(version.schema.openAPIV3Schema) as object;
    }
  }
  return undefined;
}

interface Definition {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly {
    readonly name: string;
    readonly schema: { readonly openAPIV3Schema: object };
  }[];
}

function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  // Patterns are Go's, which may begin with flags.
  if (typeof copy['pattern'] === 'string') copy['pattern'] = copy['pattern'].replace('(?i)', '');
  const open = 'additionalProperties' in copy || copy['x-kubernetes-preserve-unknown-fields'] === true;
  return 'properties' in copy && copy['type'] === 'object' && !open
    ? { ...copy, additionalProperties: false }
    : copy;
}

for (const { name, yaml, resources } of rendered) {
  void describe(name, () => {
    void test('obeys the schemas of Kubernetes', () => {
      const file = join(folder, `${name.replaceAll(' ', '-')}.yaml`);
      writeFileSync(file, yaml);
      execFileSync(tools.kubernetesValidate, ['--strict', '--quiet', '--no-warn', file], {
        stdio: 'inherit',
      });
    });

    void test('obeys the schemas of cert-manager, the Prometheus operator and KEDA', () => {
      const custom = resources.filter(
        ({ apiVersion }) => /\.(io|com|sh)\//.test(apiVersion) && !apiVersion.includes('k8s.io'),
      );
      for (const resource of custom) {
        const what = `${resource.apiVersion} ${resource.kind} ${resource.metadata.name}`;
        const schema = customSchema(resource);
        assert.ok(schema, `nobody defines ${what}`);
        const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
        assert.ok(ajv.validate(schema, resource), `${what}: ${ajv.errorsText()}`);
      }
      if (name.startsWith('production')) assert.ok(custom.length > 0);
    });

    void test('has the four services, each with a budget for disruptions and an account without rights', () => {
      const named = (kind: string): string[] =>
        resources
          .filter((resource) => resource.kind === kind && resource.metadata.name.startsWith('posthorn-'))
          .map(({ metadata }) => metadata.name.replace('posthorn-', ''))
          .sort();
      assert.deepEqual(named('Deployment'), SERVICES);
      assert.deepEqual(named('PodDisruptionBudget'), SERVICES);
      assert.deepEqual(named('ServiceAccount'), SERVICES);
      assert.deepEqual(named('Service'), SERVICES);
    });

    void test('runs every pod as nobody, on a read-only file system, without rights, with limits', () => {
      for (const { component, pod, container } of deploymentsOf(resources)) {
        assert.equal(pod.automountServiceAccountToken, false, component);
        assert.equal(pod.securityContext['runAsNonRoot'], true, component);
        assert.deepEqual(pod.securityContext['seccompProfile'], { type: 'RuntimeDefault' }, component);
        assert.equal(container.securityContext['readOnlyRootFilesystem'], true, component);
        assert.equal(container.securityContext['allowPrivilegeEscalation'], false, component);
        assert.deepEqual(container.securityContext['capabilities'], { drop: ['ALL'] }, component);
        for (const what of ['requests', 'limits'] as const) {
          assert.deepEqual(Object.keys(container.resources[what]).sort(), ['cpu', 'memory'], component);
        }
        assert.match(container.image, /:\d+\.\d+\.\d+$/, `${component}: an exact tag`);
        const keys = pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
        assert.deepEqual(keys, ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'], component);
      }
    });

    void test('asks for life without a dependency, for readiness by gRPC or by HTTP, and stops with time to spare', () => {
      for (const { component, pod, container } of deploymentsOf(resources)) {
        assert.equal(container.livenessProbe.httpGet.path, '/livez', component);
        const viaGrpc = container.readinessProbe.grpc !== undefined;
        assert.ok(viaGrpc || container.readinessProbe.httpGet?.path === '/readyz', component);
        assert.equal(viaGrpc, component !== 'gateway' && !name.startsWith('production'), component);
        assert.ok(container.lifecycle.preStop, component);
        const stop = container.env.find((entry) => entry.name === 'POSTHORN_STOP_TIMEOUT_MS')?.value ?? '';
        assert.ok(pod.terminationGracePeriodSeconds >= Number.parseInt(stop) + 5, component);
        if (component === 'dispatcher')
          assert.ok(Number.parseInt(stop) >= 75, 'the longest timeout and 15 s');
      }
    });

    void test('names no setting that no service knows', () => {
      const known = new Set(read('docs/configuration.md').match(/POSTHORN_[A-Z0-9_]+/g));
      const settings = resources
        .filter(({ kind }) => kind === 'ConfigMap')
        .flatMap(({ data }) => Object.keys(data as object));
      const given = deploymentsOf(resources).flatMap(({ container }) =>
        container.env.map((entry) => entry.name),
      );
      const unknown = [...settings, ...given].filter(
        (entry) =>
          entry.startsWith('POSTHORN_') && !known.has(entry) && !known.has(entry.replace(/_FILE$/, '')),
      );
      assert.deepEqual(unknown, []);
    });

    void test('has what is secret by reference only', () => {
      const secrets = [
        'POSTHORN_MONGODB_URL',
        'POSTHORN_ENCRYPTION_KEY',
        'POSTHORN_OPERATOR_KEY',
        'POSTHORN_KAFKA_PASSWORD',
        'POSTHORN_SERVICE_TOKEN_KEY',
      ];
      for (const { component, container } of deploymentsOf(resources)) {
        for (const entry of container.env.filter((variable) => secrets.includes(variable.name))) {
          assert.ok(entry.valueFrom, `${component} ${entry.name}`);
        }
      }
      for (const { data } of resources.filter(({ kind }) => kind === 'ConfigMap')) {
        for (const key of Object.keys(data as object)) assert.ok(!secrets.includes(key), key);
      }
      if (name.startsWith('production')) assert.ok(resources.every(({ kind }) => kind !== 'Secret'));
    });

    void test('lets only the gateway be reached, and only the dispatcher out, but for tokens of an issuer', () => {
      const policies = resources
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .map(({ metadata, spec }) => ({ metadata, spec: spec as NetworkPolicySpec }));
      const servicesIn = (chosen: typeof policies): readonly string[] =>
        chosen.flatMap(({ spec }) => componentsOf(spec.podSelector));
      const open = policies.filter(({ spec }) => spec.ingress?.some(({ from }) => from === undefined));
      assert.deepEqual(servicesIn(open), ['gateway']);
      assert.deepEqual(open[0]?.spec.ingress?.[0]?.ports, [{ port: 8080 }]);
      const outside = policies.filter(({ spec }) =>
        spec.egress?.some(
          ({ to }) => to === undefined || to.some(({ ipBlock }) => ipBlock?.cidr === '0.0.0.0/0'),
        ),
      );
      const fetchers = name.endsWith('with oidc') ? ['gateway', 'event-ingest'] : [];
      assert.deepEqual(servicesIn(outside), ['dispatcher', ...fetchers]);
      const closed = policies.find(({ metadata }) => metadata.name === 'posthorn-nothing-else');
      assert.deepEqual(closed?.spec, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    });

    void test('lets each service call those that take its calls, and no other', () => {
      const policies = resources
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .map(({ spec }) => spec as NetworkPolicySpec);
      const calls = [
        'config > event-ingest',
        'dispatcher > config',
        'dispatcher > event-ingest',
        'event-ingest > config',
        'gateway > config',
        'gateway > dispatcher',
        'gateway > event-ingest',
      ];
      const callers = ({ ingress = [] }: NetworkPolicySpec) => ingress.flatMap(({ from = [] }) => from);
      const called = ({ egress = [] }: NetworkPolicySpec) => egress.flatMap(({ to = [] }) => to);
      assert.deepEqual(
        callsIn(policies, callers, (self, peer) => `${peer} > ${self}`),
        calls,
      );
      assert.deepEqual(
        callsIn(policies, called, (self, peer) => `${self} > ${peer}`),
        calls,
      );
    });
  });
}

void describe('alerts and dashboard', () => {
  const rules = parseResources(read('k8s/monitoring/rules.yaml'))[0]?.['spec'];
  const metrics = new Set(
    globSync(join(workspaceRoot, '{apps,libs}/*/src/**/*.ts'))
      .filter((file) => !file.endsWith('.spec.ts'))
      .flatMap((file) => readFileSync(file, 'utf8').match(/(?<=name: ')posthorn_[a-z_]+(?=')/g) ?? []),
  );
  const known = (name: string): boolean =>
    metrics.has(name) || metrics.has(name.replace(/_(bucket|count|sum)$/, ''));

  void test('the alerts are sound, and fire when they should and only then', () => {
    writeFileSync(join(folder, 'rules.yml'), stringify(rules));
    writeFileSync(join(folder, 'rules.test.yaml'), read('k8s/monitoring/rules.test.yaml'));
    execFileSync(tools.promtool, ['check', 'rules', join(folder, 'rules.yml')], { stdio: 'inherit' });
    execFileSync(tools.promtool, ['test', 'rules', join(folder, 'rules.test.yaml')], { stdio: 'inherit' });
  });

  void test('every alert has a test', () => {
    const { groups } = rules as { groups: { rules: { alert: string }[] }[] };
    const tests = read('k8s/monitoring/rules.test.yaml');
    for (const { alert } of groups.flatMap((group) => group.rules))
      assert.match(tests, new RegExp(`alertname: ${alert}\\b`));
  });

  for (const file of [
    'monitoring/rules.yaml',
    'monitoring/dashboard.json',
    'components/keda/scaled-object.yaml',
  ]) {
    void test(`${file} asks for no metric that no service has`, () => {
      const names = read(`k8s/${file}`).match(/posthorn_[a-z_]+/g) ?? [];
      assert.ok(names.length > 0);
      assert.deepEqual(
        names.filter((name) => !known(name)),
        [],
      );
    });
  }
});
