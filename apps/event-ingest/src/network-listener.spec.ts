import { createHash } from 'node:crypto';
import { configV1, grpcHealthV1, ingestV1 } from '@posthorn/contracts';
import type { EventLogWriter } from '@posthorn/event-log';
import { DomainError, type Event, type Principal } from '@posthorn/models';
import {
  createInProcessClient,
  createNetworkClient,
  defineService,
  openServiceClients,
  openTransportSecurity,
  type Client,
  type RpcServer,
  type ServiceName,
  type TransportSecurity,
  type TransportSecuritySettings,
} from '@posthorn/rpc';
import { createMetrics, silentLogger, systemRandom } from '@posthorn/runtime';
import { eventually, FakeClock } from '@posthorn/testing';
import { createNetworkListener } from './network-listener.ts';
import type { ReservationStore } from './reservations/reservations.ts';
import { createIngestService, type IngestService } from './service.ts';
import type { UsageStore } from './limits/usage-store.ts';

/** What a caller claims of itself counts for nothing here: only its key does. */
const claimed: Principal = { kind: 'service', id: 'anyone', organisationId: 'o9', scopes: ['*'] };

const keys: Record<string, Partial<configV1.ApiKey>> = {
  publisher: { organisationId: 'o1', scopes: ['events:write'] },
  reader: { organisationId: 'o1', scopes: ['events:read'] },
  operator: { scopes: ['*'] },
};

const unused: ReservationStore = {
  reserve: () => Promise.reject(new Error('not used')),
  find: () => Promise.reject(new Error('not used')),
  release: () => Promise.resolve(),
  sweep: () => Promise.resolve(0),
};

/** As much as is wanted. */
const usage: UsageStore = {
  take: ({ window, wanted }) => Promise.resolve({ window, taken: wanted, used: wanted }),
  giveBack: () => Promise.resolve(),
  sweep: () => Promise.resolve(0),
};

describe('the network listener of event-ingest', () => {
  const observed = { logger: silentLogger, metrics: createMetrics() };
  let clock: FakeClock;
  let events: Event[];
  let revoked: Set<string>;
  let isConfigAway: boolean;
  let routesTo: string | undefined;
  let limits: configV1.PublishLimits | undefined;
  let ingest: IngestService;
  let listener: RpcServer;
  let address: string;
  let keyClient: Client<typeof configV1.KeyServiceService>;
  const closing: (() => void)[] = [];

  beforeEach(async () => {
    clock = new FakeClock();
    events = [];
    revoked = new Set();
    isConfigAway = false;
    routesTo = undefined;
    limits = undefined;
    const log: EventLogWriter = {
      append: (event) => {
        events.push(event);
        return Promise.resolve({ duplicate: false });
      },
      drain: () => Promise.resolve(),
    };
    const directory = defineService(configV1.DirectoryServiceService, {
      listChanges: () => Promise.resolve({ revision: 1n, organisationIds: [], reset: false }),
      listPendingVerifications: () => Promise.resolve({ verifications: [] }),
      getOrganisationView: ({ organisationId: id }) =>
        Promise.resolve({
          organisation: configV1.Organisation.fromPartial({ id }),
          eventTypes: [],
          policies: [],
          endpoints: [],
          nextCursor: '',
        }),
    });
    const notUsed = (): Promise<never> => Promise.reject(new Error('not used'));
    const keyService = defineService(configV1.KeyServiceService, {
      createKey: notUsed,
      getKey: notUsed,
      listKeys: notUsed,
      updateKey: notUsed,
      deleteKey: notUsed,
      authenticate: ({ tokenSha256 }) => {
        if (isConfigAway) return Promise.reject(new DomainError('unavailable', 'away'));
        const digest = Buffer.from(tokenSha256).toString('hex');
        const name = Object.keys(keys).find((token) => sha256(token) === digest && !revoked.has(token));
        return name === undefined
          ? Promise.reject(new DomainError('unauthenticated', 'Unknown.'))
          : Promise.resolve({
              key: configV1.ApiKey.fromPartial({ id: name, routesTo, limits, ...keys[name] }),
            });
      },
    });
    keyClient = createInProcessClient(keyService, { ...observed, clock });
    ingest = createIngestService({
      log,
      reservations: unused,
      usage,
      directory: createInProcessClient(directory, { ...observed, clock }),
      clock,
      random: systemRandom,
      ...observed,
    });
    listener = createNetworkListener({
      ingest,
      keys: keyClient,
      host: '127.0.0.1',
      port: 0,
      reflection: true,
      clock,
      ...observed,
    });
    address = `127.0.0.1:${await listener.start()}`;
  });

  afterEach(async () => {
    for (const close of closing.splice(0)) close();
    await ingest.stop();
    const stopped = listener.stop(0);
    await clock.advanceAsync(0);
    await stopped;
  });

  function connect(authorization?: string): Client<typeof ingestV1.IngestServiceService> {
    const client = createNetworkClient(ingestV1.IngestServiceService, address, {
      ...(authorization !== undefined && { headers: { authorization } }),
    });
    closing.push(() => client.close());
    return client;
  }

  function publish(authorization?: string, organisationId = ''): Promise<ingestV1.PublishResponse> {
    const event = ingestV1.NewEvent.fromPartial({
      type: 'order.paid',
      organisationId,
      data: Buffer.from('{}'),
    });
    return connect(authorization).publish({ event }, { principal: claimed });
  }

  it("publishes for the key's own organisation, whatever the caller claims to be", async () => {
    await publish('Bearer publisher');
    expect(events.map(({ organisationId }) => organisationId)).toEqual(['o1']);
    await expect(publish('Bearer publisher', 'o2')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('lets operators name the organisation', async () => {
    await publish('Bearer operator', 'o2');
    expect(events.map(({ organisationId }) => organisationId)).toEqual(['o2']);
    await expect(publish('Bearer operator')).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it.each([undefined, 'Bearer unknown', 'Basic publisher', 'Bearer '])(
    'refuses the key %s',
    async (header) => {
      await expect(publish(header)).rejects.toMatchObject({ code: 'unauthenticated' });
      expect(events).toHaveLength(0);
    },
  );

  it('refuses a key without events:write', async () => {
    await expect(publish('Bearer reader')).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('refuses a revoked key within 5 seconds', async () => {
    await publish('Bearer publisher');
    revoked.add('publisher');
    clock.advance(5000);
    await expect(publish('Bearer publisher')).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('ends the streams of a revoked key within 5 seconds, and only those', async () => {
    const revokedStream = connect('Bearer publisher').publishStream({ principal: claimed });
    const otherStream = connect('Bearer operator').publishStream({ principal: claimed });
    let ended: DomainError | null | undefined;
    let otherEnded = false;
    let acknowledged = 0;
    for (const stream of [revokedStream, otherStream]) stream.onMessage(() => void (acknowledged += 1));
    revokedStream.onClose((error) => (ended = error));
    otherStream.onClose(() => (otherEnded = true));
    const event = ingestV1.NewEvent.fromPartial({ type: 'a', organisationId: 'o1', data: Buffer.from('1') });
    for (const stream of [revokedStream, otherStream]) stream.send({ sequence: 1n, event });
    await eventually(() => acknowledged === 2);

    await clock.advanceAsync(4000);
    expect([ended, otherEnded]).toEqual([undefined, false]);
    revoked.add('publisher');
    await clock.advanceAsync(5000);
    await eventually(() => ended !== undefined);
    expect(ended).toMatchObject({ code: 'unauthenticated' });
    expect(otherEnded).toBe(false);
  });

  it('ends the streams of a key that routes elsewhere within 5 seconds, and stamps what is published before', async () => {
    routesTo = 'endpoint-1';
    const stream = connect('Bearer publisher').publishStream({ principal: claimed });
    let ended: DomainError | null | undefined;
    let acknowledged = 0;
    stream.onMessage(() => void (acknowledged += 1));
    stream.onClose((error) => (ended = error));
    const event = ingestV1.NewEvent.fromPartial({ type: 'a', data: Buffer.from('1'), routesTo: 'forged' });
    stream.send({ sequence: 1n, event });
    await eventually(() => acknowledged === 1);
    expect(events[0]?.routesTo).toBe('endpoint-1');

    await clock.advanceAsync(10_000);
    expect(ended).toBeUndefined();
    routesTo = 'endpoint-2';
    await clock.advanceAsync(5000);
    await eventually(() => ended !== undefined);
    expect(ended).toMatchObject({ code: 'unavailable' });
  });

  it('ends the streams of a key that gets other limits within 5 seconds, and counts what is published before', async () => {
    limits = { publishesPerDay: 5n };
    const stream = connect('Bearer publisher').publishStream({ principal: claimed });
    let ended: DomainError | null | undefined;
    const results: (ingestV1.PublishResult | undefined)[] = [];
    stream.onMessage(({ result }) => void results.push(result));
    stream.onClose((error) => (ended = error));
    const event = ingestV1.NewEvent.fromPartial({ type: 'a', data: Buffer.from('1') });
    stream.send({ sequence: 1n, event });
    await eventually(() => results.length === 1);
    expect(results[0]?.result?.value.limits?.states).toMatchObject([
      { name: 'key-publishes-per-day', quota: 5n, remaining: 4n },
    ]);

    await clock.advanceAsync(10_000);
    expect(ended).toBeUndefined();
    limits = { publishesPerDay: 6n };
    await clock.advanceAsync(5000);
    await eventually(() => ended !== undefined);
    expect(ended).toMatchObject({ code: 'unavailable' });
  });

  it('ends no stream because keys cannot be looked up', async () => {
    const stream = connect('Bearer publisher').publishStream({ principal: claimed });
    let acknowledged = 0;
    stream.onMessage(() => void (acknowledged += 1));
    const event = ingestV1.NewEvent.fromPartial({ type: 'a', data: Buffer.from('1') });
    stream.send({ sequence: 1n, event });
    await eventually(() => acknowledged === 1);
    isConfigAway = true;
    await clock.advanceAsync(60_000);
    stream.send({ sequence: 2n, event });
    await eventually(() => acknowledged === 2);
  });

  describe('where the gateway is another process', () => {
    const tokens: TransportSecuritySettings = { kind: 'tokens', keys: [new Uint8Array(32).fill(1)] };
    const tenant: Principal = { kind: 'key', id: 'k1', organisationId: 'o7', scopes: ['events:write'] };
    const open = (service: ServiceName): TransportSecurity => {
      const security = openTransportSecurity({ service, settings: tokens, clock, ...observed });
      closing.push(() => security.close());
      return security;
    };

    beforeEach(async () => {
      const stopped = listener.stop(0);
      await clock.advanceAsync(0);
      await stopped;
      listener = createNetworkListener({
        ingest,
        keys: keyClient,
        host: '127.0.0.1',
        port: 0,
        reflection: false,
        security: open('event-ingest'),
        clock,
        ...observed,
      });
      address = `127.0.0.1:${await listener.start()}`;
    });

    async function publishAs(
      service: ServiceName,
      principal: Principal,
      more: Partial<ingestV1.NewEvent> = {},
    ): Promise<unknown> {
      const clients = await openServiceClients({ service: 'event-ingest', address, security: open(service) });
      closing.push(() => clients.close());
      const event = ingestV1.NewEvent.fromPartial({ type: 'order.paid', data: Buffer.from('{}'), ...more });
      return clients.of(ingestV1.IngestServiceService).publish({ event }, { principal });
    }

    it('believes the gateway for whom it publishes', async () => {
      await publishAs('gateway', tenant);
      expect(events.map(({ organisationId }) => organisationId)).toEqual(['o7']);
    });

    it.each(['config', 'dispatcher'] as const)('takes operational events from %s', async (id) => {
      const own: Principal = { kind: 'service', id, organisationId: null, scopes: ['*'] };
      const type = 'posthorn.endpoint.disabled';
      await publishAs(id, own, { type, organisationId: 'o7' });
      expect(events).toMatchObject([{ type, organisationId: 'o7' }]);
    });

    it('takes nothing from a service that publishes nothing', async () => {
      await expect(publishAs('event-ingest', tenant)).rejects.toMatchObject({ code: 'unavailable' });
      expect(events).toEqual([]);
    });

    it('takes callers with a key as before, whatever they claim to be', async () => {
      await publish('Bearer publisher');
      expect(events.map(({ organisationId }) => organisationId)).toEqual(['o1']);
      await expect(publish()).rejects.toMatchObject({ code: 'unauthenticated' });
    });
  });

  it('tells its health to anyone', async () => {
    const client = createNetworkClient(grpcHealthV1.HealthService, address);
    closing.push(() => client.close());
    const check = async (): Promise<unknown> =>
      (await client.check({ service: ingest.registration.name }, { principal: claimed })).status;
    const { NOT_SERVING, SERVING } = grpcHealthV1.HealthCheckResponse_ServingStatus;
    expect(await check()).toBe(NOT_SERVING);
    listener.setServing(true);
    expect(await check()).toBe(SERVING);
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
