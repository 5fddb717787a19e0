/**
 * Every RPC of the contract over the network, with every kind of caller that is none: nothing answers but health. The services are
 * listed from the generated descriptors, so that a new one is among them.
 */
import { configV1, dispatchV1, fileDescriptors, grpcHealthV1, ingestV1, logV1 } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import type { CallOptions } from '../calls/call-context.ts';
import { createNetworkClient } from '../network/network-client.ts';
import { defineService, type Handlers, type ServiceDefinition } from '../calls/define-service.ts';
import { createRpcServer, type RpcServer } from '../network/server.ts';
import { createServiceAuthentication } from './service-authentication.ts';
import type { ServiceName } from '../service-name.ts';
import type { ClientStream } from '../calls/stream.ts';
import { openTransportSecurity, type TransportSecurity } from './transport-security.ts';

const key = new Uint8Array(32).fill(1);
const otherKey = new Uint8Array(32).fill(2);
const operator: Principal = { kind: 'key', id: 'k', organisationId: null, scopes: ['*'] };
const observed = { clock: systemClock, logger: silentLogger, metrics: createMetrics() };

/** A method of a client, where it is only known at run time. */
type CallUnary = (request: unknown, call: CallOptions) => Promise<unknown>;
type OpenStream = (call: CallOptions) => ClientStream<unknown, unknown>;
/** As a message: all of its fields are what they are without being set. */
const noBytes = Buffer.alloc(0);

/** The services of the contract, by their full names. */
const definitions = new Map<string, ServiceDefinition>(
  [configV1, dispatchV1, ingestV1, logV1]
    .flatMap((namespace) => Object.entries(namespace))
    .filter(([name]) => name.endsWith('ServiceService'))
    .map(([, definition]) => {
      const service = definition as ServiceDefinition;
      return [Object.values(service)[0]?.path.split('/')[1] ?? '', service] as const;
    }),
);

function tokensOf(service: ServiceName, keys: readonly Uint8Array[] = [key]): TransportSecurity {
  return openTransportSecurity({ service, settings: { kind: 'tokens', keys }, ...observed });
}

describe('every RPC of the contract', () => {
  let server: RpcServer;
  let address: string;
  let answered: string[];
  const opened: { close(): void }[] = [];

  beforeAll(async () => {
    const security = tokensOf('config');
    opened.push(security);
    server = createRpcServer({
      services: [...definitions.values()].map((definition) => {
        const handlers = Object.entries(definition).map(([name, { path }]) => [
          name,
          () => {
            answered.push(path);
            throw new DomainError('failed_precondition', 'It was let in.');
          },
        ]);
        return defineService(definition, Object.fromEntries(handlers) as Handlers<ServiceDefinition>);
      }),
      authenticate: createServiceAuthentication({ security, callers: ['gateway'], ...observed }),
      security,
      host: '127.0.0.1',
      port: 0,
      reflection: true,
      ...observed,
    });
    address = `127.0.0.1:${await server.start()}`;
    server.setServing(true);
  });
  beforeEach(() => {
    answered = [];
  });
  afterAll(async () => {
    for (const one of opened) one.close();
    await server.stop(0);
  });

  /** Calls every method; answers the code of each, by path. */
  async function codesOf(
    caller: TransportSecurity | null,
    headers: Readonly<Record<string, string>> = {},
    principal = operator,
  ) {
    const channel = caller === null ? {} : { security: await caller.channelTo('config') };
    const failures = [...definitions.values()].flatMap((definition) => {
      const client = createNetworkClient(definition, address, { ...channel, headers });
      opened.push(client);
      return Object.entries(definition).map(async ([name, { path, requestStream, requestDeserialize }]) => {
        const failure = requestStream
          ? new Promise((closed) => {
              const stream = (Reflect.get(client, name) as OpenStream)({ principal });
              // The end is behind the last message.
              stream.onMessage(() => undefined);
              stream.onClose(closed);
            })
          : (Reflect.get(client, name) as CallUnary)(requestDeserialize(noBytes), { principal }).catch(
              (error: unknown) => error,
            );
        return [path, DomainError.from(await failure).code] as const;
      });
    });
    return new Map(await Promise.all(failures));
  }
  const distinct = (codes: ReadonlyMap<string, string>): readonly string[] => [...new Set(codes.values())];

  test('is among those that are called here', () => {
    const declared = fileDescriptors
      .filter(({ name }) => name.startsWith('posthorn/'))
      .flatMap(({ symbols }) => symbols)
      .filter((symbol) => /\.[A-Z]\w*Service$/.test(symbol));
    expect([...definitions.keys()].sort()).toEqual(declared.sort());
    expect(declared.length).toBeGreaterThan(10);
  });

  test.each<[string, () => TransportSecurity | null, Readonly<Record<string, string>>]>([
    ['nothing at all', () => null, {}],
    ['an API key', () => null, { authorization: 'Bearer phk_0123456789' }],
    ['a token that nobody signed', () => null, { 'x-posthorn-service-token': 'eyJhbGciOiJub25lIn0.e30.' }],
    ['the token of another deployment', () => tokensOf('gateway', [otherKey]), {}],
  ])('answers nobody who shows %s, whatever principal he names', async (_, callerOf, headers) => {
    const caller = callerOf();
    if (caller !== null) opened.push(caller);
    for (const kind of ['key', 'service'] as const) {
      const codes = await codesOf(caller, headers, { ...operator, kind, id: 'gateway' });
      // A refusal of a service arrives as `unavailable`: decision 0016.
      expect(distinct(codes)).toEqual(['unavailable']);
    }
    expect(answered).toEqual([]);
  });

  test('answers no service that isn’t meant to call it, and none that speaks as another', async () => {
    const dispatcher = tokensOf('dispatcher');
    const gateway = tokensOf('gateway');
    opened.push(dispatcher, gateway);
    expect(distinct(await codesOf(dispatcher))).toEqual(['unavailable']);
    const asAnother: Principal = { ...operator, kind: 'service', id: 'config' };
    expect(distinct(await codesOf(gateway, {}, asAnother))).toEqual(['unavailable']);
    expect(answered).toEqual([]);
  });

  test('answers a service that is meant to call it', async () => {
    const gateway = tokensOf('gateway');
    opened.push(gateway);
    const codes = await codesOf(gateway);
    expect(distinct(codes)).toEqual(['failed_precondition']);
    expect(answered.sort()).toEqual([...codes.keys()].sort());
  });

  test('health answers whoever asks', async () => {
    const health = createNetworkClient({ check: grpcHealthV1.HealthService.check }, address);
    opened.push(health);
    await expect(health.check({ service: '' }, { principal: operator })).resolves.toMatchObject({
      status: 1,
    });
  });
});
