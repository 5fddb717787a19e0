import { eventually, respond, respondBy, startReceiver, type Receiver } from '@posthorn/testing';
import { runCli } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { createTestIo } from '../terminal/io.harness.ts';

let api: Receiver;
beforeEach(async () => {
  api = await startReceiver();
});
afterEach(() => api.close());

/** Lets time pass until the command has written something. */
async function untilWritten(io: ReturnType<typeof createTestIo>, text: string): Promise<void> {
  await eventually(async () => {
    await io.clock.advanceAsync(1_000);
    expect(io.written.stdout()).toContain(text);
  });
}

const env = () => ({ POSTHORN_URL: api.url, POSTHORN_KEY: 'phk_1' });
const page = (data: readonly object[]) => respond(200, { body: JSON.stringify({ data, nextCursor: null }) });

test('deliveries tail shows a delivery when it appears, and again when its fate changes', async () => {
  const delivery = {
    id: 'd1',
    eventId: 'e1',
    eventType: 'order.paid',
    endpointId: 'ep1',
    createdAt: '2026-01-01T00:00:00.500Z',
    nextAttemptAt: null,
    lastAttempt: null,
  };
  const fates = [
    { state: 'pending', attempts: 0 },
    { state: 'retrying', attempts: 1 },
    { state: 'retrying', attempts: 1 },
    { state: 'succeeded', attempts: 2 },
  ];
  api.behave(
    respondBy(({ path }) =>
      path === '/v1/deliveries/d1'
        ? respond(200, { body: JSON.stringify({ ...delivery, ...fates.shift() }) })
        : page([{ ...delivery, ...fates[0] }]),
    ),
  );
  const io = createTestIo({ env: env() });
  const ended = runCli(['deliveries', 'tail', '--json'], io);
  await untilWritten(io, 'succeeded');
  const asked = api.requests.length;
  io.interrupt();
  expect(await ended).toBe(exitCodes.ok);
  const states = io.written
    .stdout()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { state: string }).state);
  expect(states).toEqual(['pending', 'retrying', 'succeeded']);
  expect(asked).toBeGreaterThan(4);
});

test('events tail asks for what it is told to follow, and has one header', async () => {
  const event = (id: string, acceptedAt: string) => ({
    id,
    type: 'order.paid',
    labels: {},
    subject: null,
    acceptedAt,
  });
  api.behave(page([event('e2', '2026-01-01T00:00:02.000Z'), event('e1', '2026-01-01T00:00:01.000Z')]));
  const io = createTestIo({ env: env() });
  const ended = runCli(
    ['events', 'tail', '--type', 'order.paid', '--label', 'region=eu', '--after', '1m'],
    io,
  );
  await untilWritten(io, 'e2');
  io.interrupt();
  expect(await ended).toBe(exitCodes.ok);
  const query = new URL(api.requests[0]?.path ?? '', api.url).searchParams;
  expect(Object.fromEntries(query)).toMatchObject({
    type: 'order.paid',
    label: 'region:eu',
    after: '2025-12-31T23:59:00.000Z',
  });
  const lines = io.written.stdout().trimEnd().split('\n');
  expect(lines.map((line) => line.split(/\s+/)[0])).toEqual(['ID', 'e1', 'e2']);
});

test('a tail goes on when the API is away for a while, and says so once', async () => {
  api.behave(respond(503, { body: '{"status":503,"code":"unavailable","detail":"Away."}' }));
  const io = createTestIo({ env: env() });
  const ended = runCli(['events', 'tail', '--json'], io);
  await eventually(async () => {
    await io.clock.advanceAsync(1_000);
    expect(api.requests.length).toBeGreaterThan(3);
  });
  io.interrupt();
  expect(await ended).toBe(exitCodes.ok);
  expect(io.written.stderr().match(/Trying again/g)).toHaveLength(1);
});
