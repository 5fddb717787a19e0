import { grpcHealthV1, grpcReflectionV1, ingestV1 } from '@posthorn/contracts';
import { servicePrincipal } from '@posthorn/models';
import { createNetworkClient, type Client } from '@posthorn/rpc';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { operatorKey, preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

/** What a caller says of itself counts for nothing: its key does. */
const principal = servicePrincipal('a-shop');

let platform: PlatformProcess;
let address: string;
let receiver: Receiver;
let tenant: Tenant;
const closing: (() => void)[] = [];

beforeAll(async () => {
  platform = await preparePlatform({ env: { POSTHORN_GRPC_PORT: '0' } });
  await platform.start();
  address = /grpc\s+(\S+:\d+)/.exec(platform.output())?.[1] ?? '';
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await createTenant(platform);
  await tenant.endpoint({ url: receiver.url, format: 'raw' });
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await receiver.close();
});

type IngestClient = Client<typeof ingestV1.IngestServiceService>;

function connect(key: string): IngestClient {
  const client = createNetworkClient(ingestV1.IngestServiceService, address, {
    headers: { authorization: `Bearer ${key}` },
  });
  closing.push(() => client.close());
  return client;
}

function newEvent(data: string, more: Partial<ingestV1.NewEvent> = {}): ingestV1.NewEvent {
  return ingestV1.NewEvent.fromPartial({ type: 'order.paid', data: Buffer.from(data), ...more });
}

async function bodies(count: number): Promise<readonly string[]> {
  const requests = await receiver.waitFor(count, patienceMs);
  return requests.map(({ body }) => body.toString()).toSorted();
}

describe('an internal caller over gRPC', () => {
  it('publishes an event, whose payload travels as its bytes', async () => {
    const { accepted } = await connect(tenant.key).publish(
      { event: newEvent('{"total":1.0,  "n":12345678901234567890}') },
      { principal },
    );
    expect(accepted).toMatchObject({ type: 'order.paid', duplicate: false });
    expect(await bodies(1)).toEqual(['{"total":1.0,  "n":12345678901234567890}']);
    expect(receiver.requests[0]?.headers['webhook-id']).toBe(accepted?.id);
  });

  it('publishes a batch, of which a bad event spoils none of the others', async () => {
    const events = [newEvent('1'), newEvent('{'), newEvent('3', { type: 'order..paid' }), newEvent('4')];
    const { results } = await connect(tenant.key).publishBatch({ events }, { principal });
    expect(results.map(({ result }) => result?.$case)).toEqual([
      'accepted',
      'refused',
      'refused',
      'accepted',
    ]);
    expect(results[1]?.result?.value).toMatchObject({
      code: 'invalid_argument',
      violations: [expect.objectContaining({ field: '/data' })],
    });
    expect(await bodies(2)).toEqual(['1', '4']);
    const large = newEvent(JSON.stringify('x'.repeat(256 * 1024)));
    await expect(connect(tenant.key).publish({ event: large }, { principal })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    const tooMany = Array.from({ length: 1001 }, () => newEvent('1'));
    await expect(connect(tenant.key).publishBatch({ events: tooMany }, { principal })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it('publishes a stream, each event acknowledged by its number as it became durable', async () => {
    const stream = connect(tenant.key).publishStream({ principal });
    const answers = new Map<bigint, ingestV1.PublishResult | undefined>();
    stream.onMessage(({ sequence, result }) => void answers.set(sequence, result));
    const closed = new Promise((resolve) => stream.onClose(resolve));
    stream.send({ sequence: 7n, event: newEvent('"alone"') });
    await eventually(() => answers.size === 1, { timeoutMs: patienceMs, message: 'its acknowledgement' });
    for (let n = 0n; n < 500n; n += 1n) stream.send({ sequence: 1000n + n, event: newEvent(String(n)) });
    stream.send({ sequence: 2000n, event: newEvent('not JSON') });
    stream.end();
    expect(await closed).toBeNull();
    expect(answers.size).toBe(502);
    expect(answers.get(7n)?.result?.$case).toBe('accepted');
    expect(answers.get(2000n)?.result).toMatchObject({
      $case: 'refused',
      value: { code: 'invalid_argument' },
    });
    expect(new Set(await bodies(501)).size).toBe(501);
  });

  it('publishes the same event once, however often it sends it under its own id', async () => {
    const client = connect(tenant.key);
    const event = newEvent('1', { id: 'order-42', idFromProducer: true });
    expect((await client.publish({ event }, { principal })).accepted?.duplicate).toBe(false);
    expect((await client.publish({ event }, { principal })).accepted?.duplicate).toBe(true);
    await expect(
      client.publish({ event: { ...event, data: Buffer.from('2') } }, { principal }),
    ).rejects.toMatchObject({ code: 'idempotency_mismatch' });
    await client.publish({ event: newEvent('"last"') }, { principal });
    expect(await bodies(2)).toEqual(['"last"', '1']);
  });

  it('needs a key that may publish, and acts for nobody but its own organisation', async () => {
    const publish = (key: string, event = newEvent('1')) => connect(key).publish({ event }, { principal });
    await expect(publish('phk_unknown')).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(publish('')).rejects.toMatchObject({ code: 'unauthenticated' });
    const { token } = await tenant.ok<{ token: string }>('POST', '/v1/keys', {
      name: 'reader',
      scopes: ['events:read'],
    });
    await expect(publish(token)).rejects.toMatchObject({ code: 'permission_denied' });
    const other = await createTenant(platform);
    await expect(publish(other.key, newEvent('1', { organisationId: tenant.id }))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(publish(operatorKey)).rejects.toMatchObject({ code: 'invalid_argument' });
    await publish(operatorKey, newEvent('"by an operator"', { organisationId: tenant.id }));
    expect(await bodies(1)).toEqual(['"by an operator"']);
  });

  it("loses its stream within 5 seconds of its key's revocation", async () => {
    const { id, token } = await tenant.ok<{ id: string; token: string }>('POST', '/v1/keys', {
      name: 'publisher',
      scopes: ['events:write'],
    });
    const stream = connect(token).publishStream({ principal });
    const closed = new Promise((resolve) => stream.onClose(resolve));
    const acknowledged = new Promise((resolve) => stream.onMessage(resolve));
    stream.send({ sequence: 1n, event: newEvent('1') });
    await acknowledged;
    const revokedAt = performance.now();
    await tenant.call('DELETE', `/v1/keys/${id}`);
    expect(await closed).toMatchObject({ code: 'unauthenticated' });
    expect(performance.now() - revokedAt).toBeLessThan(5500);
  });
});

describe('a gRPC tool', () => {
  it('finds out that the service is well, without a key', async () => {
    const client = createNetworkClient(grpcHealthV1.HealthService, address);
    closing.push(() => client.close());
    const { SERVING } = grpcHealthV1.HealthCheckResponse_ServingStatus;
    for (const service of ['', 'posthorn.ingest.v1.IngestService']) {
      expect(await client.check({ service }, { principal })).toEqual({ status: SERVING });
    }
  });

  it('finds the services by reflection, with a key', async () => {
    const client = createNetworkClient(grpcReflectionV1.ServerReflectionService, address, {
      headers: { authorization: `Bearer ${tenant.key}` },
    });
    closing.push(() => client.close());
    const stream = client.serverReflectionInfo({ principal });
    const answer = new Promise<grpcReflectionV1.ServerReflectionResponse>((resolve, reject) => {
      stream.onMessage(resolve);
      stream.onClose(reject);
    });
    stream.send({ host: '', messageRequest: { $case: 'listServices', value: '' } });
    expect((await answer).messageResponse).toMatchObject({
      value: { service: expect.arrayContaining([{ name: 'posthorn.ingest.v1.IngestService' }]) },
    });
    stream.end();
  });
});
