/**
 * The demo of docker-compose.yml: makes an organisation, a key and an endpoint, publishes 300 events, receives them, verifies
 * each signature (Standard Webhooks), and says what it saw. Needs nothing but Node.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { GATEWAY_URL, RECEIVER_URL, OPERATOR_KEY_FILE } = process.env;
const operatorKey = readFileSync(OPERATOR_KEY_FILE, 'utf8').trim();
const events = 300;
const patienceMs = 60_000;

async function call(key, method, path, body) {
  const answer = await fetch(`${GATEWAY_URL}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

let secret;
const verified = new Set();
let refused = 0;

function isSigned(headers, body) {
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(content).digest();
  return headers['webhook-signature'].split(' ').some((signature) => {
    const [version, value = ''] = signature.split(',');
    const given = Buffer.from(value, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

const receiver = createServer(async (req, res) => {
  const body = Buffer.concat(await req.toArray()).toString();
  if (isSigned(req.headers, body)) verified.add(req.headers['webhook-id']);
  else refused += 1;
  res.writeHead(204).end();
});
await new Promise((resolve) => receiver.listen(new URL(RECEIVER_URL).port, resolve));

const slug = `demo-${randomBytes(3).toString('hex')}`;
await call(operatorKey, 'POST', '/v1/organisations', { slug, name: 'Demo' });
const { token } = await call(operatorKey, 'POST', '/v1/keys', {
  organisation: slug,
  name: 'demo',
  scopes: ['*'],
});
({ secret } = await call(token, 'POST', '/v1/endpoints', { url: RECEIVER_URL, eventTypes: ['order.*'] }));

const startedAt = performance.now();
for (let n = 0; n < events; n += 100) {
  const batch = Array.from({ length: 100 }, (_, index) => ({ type: 'order.paid', data: { n: n + index } }));
  await call(token, 'POST', '/v1/events/batch', { events: batch });
}
console.log(`${events} events published for ${slug}`);
while (verified.size < events && performance.now() - startedAt < patienceMs) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(`${verified.size} of ${events} delivered and verified in ${seconds} s, ${refused} refused`);
receiver.close();
process.exitCode = verified.size === events && refused === 0 ? 0 : 1;
