import { eventually, respond, startReceiver } from '@posthorn/testing';
import { Webhook } from 'standardwebhooks';
import { runCli } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { createTestIo, type TestIo } from '../terminal/io.harness.ts';

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const otherSecret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;

/** Starts `posthorn listen`; `url` is where it listens. */
async function startListening(argv: readonly string[], env: Record<string, string> = {}) {
  const io = createTestIo({ env });
  const ended = runCli(['listen', ...argv], io);
  const url = await eventually(() => {
    const [, found] = /listening on (\S+)/.exec(io.written.stdout() + io.written.stderr()) ?? [];
    if (found === undefined) throw new Error(io.written.stderr());
    return found;
  });
  return { io, ended, url };
}

function post(url: string, { io }: { io: TestIo }, signedWith: string | null): Promise<Response> {
  const body = '{"type":"order.paid","n":1.0}';
  const at = new Date(io.clock.now());
  return fetch(url, {
    method: 'POST',
    body,
    headers: {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      ...(signedWith !== null && { 'webhook-signature': new Webhook(signedWith).sign('msg_1', at, body) }),
    },
  });
}

test('verifies what comes, answers, prints it and ends after the count', async () => {
  const listening = await startListening(['--secret', secret, '--count', '1', '--status', '202']);
  expect((await post(`${listening.url}/hooks`, listening, secret)).status).toBe(202);
  expect(await listening.ended).toBe(exitCodes.ok);
  const output = listening.io.written.stdout();
  expect(output).toContain('POST /hooks  msg_1  verified  answered 202');
  expect(output).toContain('  {"type":"order.paid","n":1.0}');
});

test('refuses a wrong signature, and its exit code tells', async () => {
  const listening = await startListening(['--secret', secret, '--count', '2', '--json']);
  expect((await post(listening.url, listening, otherSecret)).status).toBe(401);
  expect((await post(listening.url, listening, null)).status).toBe(401);
  expect(await listening.ended).toBe(exitCodes.failure);
  const lines = listening.io.written.stdout().trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      status: 401,
      verification: expect.objectContaining({ reason: 'no_matching_signature' }),
    }),
    expect.objectContaining({
      status: 401,
      verification: expect.objectContaining({ reason: 'missing_header' }),
    }),
  ]);
});

test('takes either of several secrets, as during a rotation', async () => {
  const listening = await startListening(['--secret', otherSecret, '--secret', secret, '--count', '1']);
  expect((await post(listening.url, listening, secret)).status).toBe(200);
  expect(await listening.ended).toBe(exitCodes.ok);
});

test('without a secret it says that nothing was verified', async () => {
  const listening = await startListening(['--count', '1']);
  expect((await post(listening.url, listening, secret)).status).toBe(200);
  await listening.ended;
  expect(listening.io.written.stdout()).toContain('not verified');
});

test('fails the first ones when asked to', async () => {
  const listening = await startListening(['--fail-first', '2', '--count', '3']);
  const statuses: number[] = [];
  for (let n = 0; n < 3; n += 1) statuses.push((await post(listening.url, listening, secret)).status);
  expect(statuses).toEqual([503, 503, 200]);
  await listening.ended;
});

test('passes requests on byte for byte, and answers what is answered there', async () => {
  const application = await startReceiver({ behaviour: respond(418, { body: 'short and stout' }) });
  const listening = await startListening(['--forward', `${application.url}/app`, '--count', '2']);
  const answer = await post(listening.url, listening, secret);
  expect(answer.status).toBe(418);
  expect(await answer.text()).toBe('short and stout');
  const [passedOn] = application.requests;
  expect(passedOn?.path).toBe('/app');
  expect(passedOn?.body.toString()).toBe('{"type":"order.paid","n":1.0}');
  expect(passedOn?.headers).toMatchObject({ 'webhook-id': 'msg_1', 'webhook-signature': expect.any(String) });

  await application.close();
  expect((await post(listening.url, listening, secret)).status).toBe(502);
  await listening.ended;
});

test('--register makes an endpoint, verifies with its secret and deletes it after Ctrl-C', async () => {
  const api = await startReceiver({
    behaviour: respond(201, { body: JSON.stringify({ id: 'ep1', secret }) }),
  });
  const argv = ['--register', '--event-type', 'order.*'];
  const listening = await startListening(argv, { POSTHORN_URL: api.url, POSTHORN_KEY: 'phk_1' });
  expect((await post(listening.url, listening, secret)).status).toBe(200);
  api.behave(204);
  listening.io.interrupt();
  expect(await listening.ended).toBe(exitCodes.ok);
  expect(api.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /v1/endpoints',
    'DELETE /v1/endpoints/ep1',
  ]);
  expect(JSON.parse(api.requests[0]?.body.toString() ?? '')).toMatchObject({
    url: listening.url,
    eventTypes: ['order.*'],
  });
  await api.close();
});

test('a port that is taken is told', async () => {
  const taken = await startReceiver();
  const io = createTestIo();
  expect(await runCli(['listen', '--port', String(taken.port)], io)).toBe(exitCodes.failure);
  expect(io.written.stderr()).toContain(`port ${taken.port}`);
  await taken.close();
});
