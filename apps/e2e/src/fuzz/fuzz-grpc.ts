/**
 * Every RPC of every service with messages at random, on the four services as processes: nothing answers `internal`, hangs or ends
 * a process, and afterwards events are delivered as before.
 */
import { randomBytes } from 'node:crypto';
import { configV1, dispatchV1, ingestV1 } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import type { ServiceDefinition, ServiceName } from '@posthorn/rpc';
import { openServiceClients, openTransportSecurity } from '@posthorn/rpc';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { createSeededRandom, eventually, startReceiver, type SeededRandom } from '@posthorn/testing';
import { createTenant, patienceMs, type PageAnswer, type Tenant } from '../tenant.ts';
import type { FuzzOptions, FuzzPart, FuzzResult } from './part.ts';
import { readContract } from './random-message.ts';

export const grpc: FuzzPart = { name: 'grpc', shortCases: 3000, longCases: 300_000, run };

const atOnce = 8;
const deadlineMs = 30_000;
const everyLine = 5000;
const streamMessages = 20;
const linesOfEach = 20;

/** The services of the platform, what they serve, and as whom they are called. */
const served: readonly {
  readonly service: ServiceName;
  readonly as: ServiceName;
  readonly contract: object;
}[] = [
  { service: 'config', as: 'gateway', contract: configV1 },
  { service: 'config', as: 'dispatcher', contract: configV1 },
  { service: 'event-ingest', as: 'gateway', contract: ingestV1 },
  { service: 'dispatcher', as: 'gateway', contract: dispatchV1 },
];

async function run({ cases, seed, tell }: FuzzOptions): Promise<readonly FuzzResult[]> {
  const key = randomBytes(32);
  const platform = await startStackPlatform({ security: 'tokens', tokenKey: key });
  const receiver = await startReceiver();
  const findings = new Map<string, string>();
  let tried = 0;
  try {
    const tenant = await createTenant(platform);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    const texts = await goodTexts(tenant, endpointId);
    const { call, close } = await openCalls(platform, key);
    const contract = readContract();
    const random = createSeededRandom(seed);
    const methods = contract.methods.filter(({ path }) => path.startsWith('/posthorn.'));
    const worker = async (): Promise<void> => {
      while (tried < cases) {
        tried += 1;
        if (tried % everyLine === 0) tell(`${tried} of ${cases} calls`);
        const method = random.pick(methods);
        const request = (): Uint8Array => contract.randomRequest(method, random, texts);
        const finding = await call(method.path, method.isStream, request, random, tenant);
        if (finding !== null) findings.set(method.path, finding);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    close();
    if (findings.size > 0) findings.set('what the services wrote', troublesOf(platform));
    await platform.explain(() => expectDelivery(platform, receiver.url, () => receiver.requests));
  } finally {
    await receiver.close();
    await platform.dispose();
  }
  const finding = [...findings].map(([path, what]) => `${path}: ${what}`).join('\n');
  return [{ what: 'gRPC calls', cases: tried, finding: finding === '' ? null : finding }];
}

function troublesOf(platform: StackPlatform): string {
  const processes = served.flatMap(({ service }) => platform.processes(service));
  return [...new Set(processes)].flatMap((one) => one.lastTroubles(linesOfEach)).join('\n');
}

/** Texts that name something. */
async function goodTexts(tenant: Tenant, endpointId: string): Promise<readonly string[]> {
  const { id: eventId } = await tenant.publish({ type: 'order.paid', data: {} });
  const { id: deliveryId } = await tenant.deliveryIn('succeeded', eventId, endpointId);
  const keys = await tenant.ok<PageAnswer<{ id: string }>>('GET', '/v1/keys');
  const ids = [tenant.id, tenant.slug, eventId, endpointId, deliveryId, ...keys.data.map(({ id }) => id)];
  return [
    ...ids,
    tenant.id,
    'order.paid',
    'name',
    'description',
    'events:write',
    'https://example.com/hooks',
  ];
}

async function expectDelivery(
  platform: StackPlatform,
  url: string,
  requests: () => readonly { readonly headers: object }[],
): Promise<void> {
  const tenant = await createTenant(platform);
  await tenant.endpoint({ url });
  const { id } = await tenant.publish({ type: 'order.paid', data: {} });
  await eventually(() => requests().some(({ headers }) => Object.values(headers).includes(id)), {
    timeoutMs: patienceMs,
    message: 'An event being delivered after all of that',
  });
}

type MethodDefinition = ServiceDefinition[string];

/** A method whose requests are bytes already. */
type RawMethod<IsStream extends boolean> = Omit<MethodDefinition, 'requestStream' | 'responseStream'> & {
  readonly requestStream: IsStream;
  readonly responseStream: IsStream;
};

interface RawClient {
  readonly unary: (
    request: unknown,
    options: { principal: Principal; deadlineMs: number },
  ) => Promise<unknown>;
  readonly stream: (options: { principal: Principal; deadlineMs: number }) => {
    onMessage(fn: (message: unknown) => void): void;
    onClose(fn: (error: DomainError | null) => void): void;
    send(message: unknown): boolean;
    end(): void;
  };
}

type Call = (
  path: string,
  isStream: boolean,
  request: () => Uint8Array,
  random: SeededRandom,
  tenant: Tenant,
) => Promise<string | null>;

async function openCalls(
  platform: StackPlatform,
  key: Uint8Array,
): Promise<{ call: Call; close: () => void }> {
  const clients = new Map<string, (RawClient & { readonly as: ServiceName })[]>();
  const closes: (() => void)[] = [];
  for (const { service, as, contract } of served) {
    const security = openTransportSecurity({
      service: as,
      settings: { kind: 'tokens', keys: [key] },
      clock: systemClock,
      logger: silentLogger,
      metrics: createMetrics(),
    });
    const opened = await openServiceClients({ service, address: platform.addressOf(service), security });
    closes.push(() => {
      opened.close();
      security.close();
    });
    for (const method of methodsOf(contract)) {
      const unary: RawMethod<false> = { ...raw(method), requestStream: false, responseStream: false };
      const stream: RawMethod<true> = { ...raw(method), requestStream: true, responseStream: true };
      const client = opened.of({ unary, stream });
      clients.set(method.path, [...(clients.get(method.path) ?? []), { ...client, as }]);
    }
  }
  const call: Call = async (path, isStream, request, random, tenant) => {
    const client = random.pick(clients.get(path) ?? []);
    const options = { principal: principalOf(client.as, random, tenant), deadlineMs };
    const error = isStream
      ? await streamed(client, request, options)
      : await answered(client, request(), options);
    if (error === null || (error.code !== 'internal' && error.code !== 'deadline_exceeded')) return null;
    return `${error.code}: ${error.message} (${JSON.stringify(options.principal)})`;
  };
  return { call, close: () => closes.forEach((close) => close()) };
}

function methodsOf(contract: object): readonly MethodDefinition[] {
  return Object.entries(contract)
    .filter(([name]) => name.endsWith('ServiceService'))
    .flatMap(([, definition]) => Object.values(definition as Readonly<Record<string, MethodDefinition>>));
}

function raw(method: MethodDefinition): MethodDefinition {
  return { ...method, requestSerialize: (bytes) => Buffer.from(bytes as Uint8Array) };
}

async function answered(
  client: RawClient,
  request: Uint8Array,
  options: Parameters<RawClient['unary']>[1],
): Promise<DomainError | null> {
  try {
    await client.unary(request, options);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function streamed(
  client: RawClient,
  request: () => Uint8Array,
  options: Parameters<RawClient['stream']>[0],
): Promise<DomainError | null> {
  return new Promise((resolve) => {
    const stream = client.stream(options);
    stream.onMessage(() => undefined);
    stream.onClose(resolve);
    for (let n = 0; n < streamMessages; n += 1) stream.send(request());
    stream.end();
  });
}

/** Mostly the tenant itself; a service on its own behalf, an operator, and another tenant as well. */
function principalOf(as: ServiceName, random: SeededRandom, tenant: Tenant): Principal {
  const one = random.number();
  if (one < 0.2) return { kind: 'service', id: as, organisationId: null, scopes: ['*'] };
  const organisationId = one < 0.3 ? null : one < 0.35 ? 'another' : tenant.id;
  return { kind: 'key', id: 'fuzz', organisationId, scopes: ['*'] };
}
