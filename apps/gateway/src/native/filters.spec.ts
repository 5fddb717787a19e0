import { tokens } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

let running: TestGateway;
beforeAll(async () => {
  running = await startTestGateway();
});
afterAll(() => running.gateway.stop(1_000));

const evaluate = (body: unknown, token: string = tokens.reader): ReturnType<TestGateway['call']> =>
  running.call('POST', '/v1/filters/evaluate', { token, body });

test('says whether a filter matches a payload, and why', async () => {
  const filter = { 'order.total': { $gte: 100 }, currency: { $in: ['EUR', 'USD'] } };
  const yes = await evaluate({ filter, event: { data: { order: { total: 120 }, currency: 'EUR' } } });
  const no = await evaluate({
    filter,
    event: { type: 'order.paid', data: { order: { total: 99 }, currency: 'EUR' } },
  });
  expect([yes.status, yes.body]).toEqual([200, { matches: true, because: expect.any(String) as unknown }]);
  expect(no.body).toEqual({ matches: false, because: expect.stringContaining('order.total') as unknown });
});

test('takes any JSON value as the payload', async () => {
  for (const data of [null, 'text', 0, [], false]) {
    expect((await evaluate({ filter: {}, event: { data } })).body).toMatchObject({ matches: true });
  }
});

test.each([
  ['an unknown operator', { filter: { a: { $near: 1 } }, event: { data: {} } }, '/filter/a/$near'],
  ['an empty path', { filter: { '': 1 }, event: { data: {} } }, '/filter/'],
  ['no filter', { event: { data: {} } }, '/filter'],
  ['null for a filter', { filter: null, event: { data: {} } }, '/filter'],
  ['no event', { filter: {} }, '/event'],
  ['an event without a payload', { filter: {}, event: { order: { total: 1 } } }, '/event/data'],
])('%s is refused', async (_, body, field) => {
  const answer = await evaluate(body);
  expect([answer.status, answer.body]).toEqual([
    400,
    expect.objectContaining({ violations: [expect.objectContaining({ field })] }),
  ]);
});

test('needs a key that may read endpoints, of any organisation or of none', async () => {
  expect((await evaluate({ filter: {}, event: { data: 1 } }, tokens.operator)).status).toBe(200);
  expect((await evaluate({ filter: {}, event: { data: 1 } }, tokens.publisher)).status).toBe(403);
});
