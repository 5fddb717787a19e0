import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { expectProblem, type ProblemAnswer } from './expect-problem.harness.ts';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type Tenant } from './tenant.ts';

interface Result extends Partial<ProblemAnswer> {
  readonly id?: string;
  readonly type: string;
  readonly duplicate?: boolean;
}

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await createTenant(platform);
  await tenant.endpoint({ url: receiver.url, format: 'raw' });
});
afterEach(() => receiver.close());

const ndjson = { 'content-type': 'application/x-ndjson' };

async function publishBatch(body: object | string, headers = {}): Promise<readonly Result[]> {
  const answer = await tenant.call<{ data: readonly Result[] }>('POST', '/v1/events/batch', body, headers);
  expect(`${answer.status} ${answer.text.slice(0, 500)}`).toMatch(/^202 /);
  return answer.body.data;
}

/** What the receiver got, by the event's id, once that many have come. */
async function received(count: number): Promise<ReadonlyMap<string, string>> {
  await eventually(() => receiver.requests.length >= count, {
    timeoutMs: patienceMs,
    everyMs: 50,
    message: `${count} deliveries`,
  });
  return new Map(
    receiver.requests.map(({ headers, body }) => [String(headers['webhook-id']), body.toString()]),
  );
}

function events(count: number): { type: string; data: { n: number } }[] {
  return Array.from({ length: count }, (_, n) => ({ type: 'order.paid', data: { n } }));
}

describe('a batch', () => {
  it.each([
    ['JSON', { body: { events: events(1000) }, headers: {} }],
    [
      'NDJSON',
      {
        body: `${events(1000)
          .map((one) => JSON.stringify(one))
          .join('\n')}\n`,
        headers: ndjson,
      },
    ],
  ])(
    'of 1,000 events in %s is accepted, each with its own result in order, and delivered',
    async (_, given) => {
      const results = await publishBatch(given.body, given.headers);
      expect(results).toHaveLength(1000);
      for (const result of results) expect(result).toMatchObject({ type: 'order.paid', duplicate: false });
      const bodies = await received(1000);
      expect(bodies.size).toBe(1000);
      results.forEach(({ id = '' }, n) => expect(bodies.get(id)).toBe(`{"n":${n}}`));
    },
  );

  it('of which some are bad accepts the good ones, and says of each what is wrong', async () => {
    const results = await publishBatch({
      events: [
        { type: 'order.paid', data: 0 },
        { type: 'order..paid', data: 1, labels: { a: 1 } },
        { type: 'order.paid' },
        'not an event',
        { type: 'order.paid', data: 4, id: 'own-id' },
        { type: 'order.paid', data: 'x'.repeat(256 * 1024) },
        { type: 'order.paid', data: 6, organisation: 'another' },
        { type: 'order.paid', data: 7, id: 'own-id' },
        { type: 'order.paid', data: 4, id: 'own-id' },
      ],
    });
    expect(results).toMatchObject([
      { type: 'order.paid', duplicate: false },
      {
        code: 'invalid_argument',
        status: 400,
        violations: expect.arrayContaining([expect.objectContaining({ field: '/labels/a' })]),
      },
      { code: 'invalid_argument', violations: [expect.objectContaining({ field: '/data' })] },
      { code: 'invalid_argument', status: 400 },
      { id: 'own-id', duplicate: false },
      { code: 'payload_too_large', status: 413 },
      { code: 'not_found', status: 404 },
      { code: 'idempotency_mismatch', status: 409 },
      { id: 'own-id', duplicate: true },
    ]);
    const bodies = await received(2);
    expect([...bodies.values()].toSorted()).toEqual(['0', '4']);
  });

  it('in NDJSON of which a line is broken loses only that line', async () => {
    const lines = [
      '{"type":"order.paid","data":0}',
      '{"type":',
      '',
      '  ',
      '{"type":"order.paid","data":1.0}',
    ];
    const results = await publishBatch(lines.join('\r\n'), ndjson);
    expect(results).toMatchObject([{ duplicate: false }, { code: 'invalid_argument' }, { duplicate: false }]);
    expect([...(await received(2)).values()].toSorted()).toEqual(['0', '1.0']);
  });

  it('of more than 1,000 events, or that is none, is refused as a whole', async () => {
    const batch = (body: object | string, headers = {}) =>
      tenant.call('POST', '/v1/events/batch', body, headers);
    const invalid = [400, 'invalid_argument'] as const;
    expectProblem(await batch({ events: events(1001) }), invalid, ['/events']);
    const lines = events(1001).map((one) => JSON.stringify(one));
    expectProblem(await batch(lines.join('\n'), ndjson), invalid);
    expectProblem(await batch(events(2)), invalid);
    expectProblem(await batch({ event: events(2) }), invalid, ['/events', '/event']);
    expectProblem(await batch({ events: 'none' }), invalid, ['/events']);
    expectProblem(await batch('{"events":[{"type":"order.paid","data":1},'), invalid);
    expectProblem(await batch(`{"events":[${'"x",'.repeat(5_000_000)}1]}`), [413, 'payload_too_large']);
    expect(await publishBatch({ events: [] })).toEqual([]);
    const { id } = await tenant.publish({ type: 'after.all', data: 'last' });
    expect([...(await received(1)).keys()]).toEqual([id]);
  });
});
