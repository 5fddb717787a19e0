/**
 * The yardstick: the least that any program with Posthorn's promise must do, in one process and written well. Express,
 * JSON parse, the event in a SQLite group commit (WAL, FULL) before the answer, HMAC-SHA256 over the body, an undici POST to
 * each endpoint, delivery and attempt in a group commit.
 *
 * It isn't a webhook service: no retry, no isolation, no limits, no validation, no address guard, nothing is found again
 * after a crash. Whoever leaves that out is this fast on this machine.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
// eslint-disable-next-line no-restricted-imports -- the yardstick uses nothing of the platform's
import { DatabaseSync } from 'node:sqlite';
// eslint-disable-next-line no-restricted-imports -- the yardstick uses nothing of the platform's
import express from 'express';
import { Agent } from 'undici';

/** What it is started with, as a JSON file named on the command line. */
export interface BareLoopConfig {
  readonly database: string;
  readonly endpoints: readonly BareEndpoint[];
}

export interface BareEndpoint {
  /** The token that publishes for its organisation. */
  readonly key: string;
  readonly type: string;
  readonly url: string;
  readonly secret: string;
}

interface Target {
  readonly id: string;
  readonly origin: string;
  readonly path: string;
  readonly secret: Buffer;
}

interface Published {
  readonly type: string;
  readonly data: unknown;
}

interface Accepted {
  readonly id: string;
  readonly type: string;
  readonly acceptedAt: number;
  /** What is stored, and what is sent. */
  readonly body: string;
  readonly targets: readonly Target[];
}

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as BareLoopConfig;

const database = new DatabaseSync(config.database);
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE events (id TEXT PRIMARY KEY, type TEXT NOT NULL, accepted_at INTEGER NOT NULL, payload TEXT NOT NULL) STRICT;
  CREATE TABLE deliveries (id TEXT PRIMARY KEY, event_id TEXT NOT NULL, endpoint_id TEXT NOT NULL, state TEXT NOT NULL,
    finished_at INTEGER NOT NULL) STRICT;
  CREATE TABLE attempts (id TEXT PRIMARY KEY, delivery_id TEXT NOT NULL, started_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL, status INTEGER, error TEXT) STRICT;
`);
const insertEvent = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
const insertDelivery = database.prepare('INSERT INTO deliveries VALUES (?, ?, ?, ?, ?)');
const insertAttempt = database.prepare('INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)');

const agent = new Agent({ connections: 100, pipelining: 1 });
const delay = monitorEventLoopDelay();
delay.enable();

const targetsByKey = new Map<string, Map<string, Target[]>>();
for (const [index, { key, type, url, secret }] of config.endpoints.entries()) {
  const { origin, pathname } = new URL(url);
  const byType = targetsByKey.get(key) ?? new Map<string, Target[]>();
  const target = { id: `endpoint-${index}`, origin, path: pathname, secret: Buffer.from(secret) };
  byType.set(type, [...(byType.get(type) ?? []), target]);
  targetsByKey.set(key, byType);
}

/** One transaction for all that was asked for in a turn of the loop. */
let group: { write: () => void; committed: () => void }[] = [];

function commit(write: () => void, committed: () => void): void {
  if (group.push({ write, committed }) === 1) setImmediate(commitGroup);
}

function commitGroup(): void {
  const jobs = group;
  group = [];
  database.exec('BEGIN');
  for (const { write } of jobs) write();
  database.exec('COMMIT');
  for (const { committed } of jobs) committed();
}

let minted = 0;
/** In order of time, so that inserts stay at the end of the index. */
function newId(now: number): string {
  minted = (minted + 1) % 0x1000000;
  return `${now.toString(16).padStart(12, '0')}${minted.toString(16).padStart(6, '0')}`;
}

function accept({ type, data }: Published, byType: ReadonlyMap<string, readonly Target[]>): Accepted {
  const now = Date.now();
  const body = JSON.stringify({ type, timestamp: new Date(now).toISOString(), data });
  return { id: newId(now), type, acceptedAt: now, body, targets: byType.get(type) ?? [] };
}

function store({ id, type, acceptedAt, body }: Accepted): void {
  insertEvent.run(id, type, acceptedAt, body);
}

function deliver(event: Accepted): void {
  for (const target of event.targets) attempt(event, target);
}

function attempt({ id, body }: Accepted, { id: endpointId, origin, path, secret }: Target): void {
  const startedAt = Date.now();
  const timestamp = String(Math.floor(startedAt / 1_000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  agent
    .request({
      origin,
      path,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      },
      body,
    })
    .then(async (response) => {
      await response.body.dump();
      record(response.statusCode, null);
    })
    .catch((error: unknown) => {
      record(null, String(error));
    });

  const record = (status: number | null, error: string | null): void => {
    const finishedAt = Date.now();
    const state = status !== null && status >= 200 && status < 300 ? 'succeeded' : 'failed';
    const deliveryId = newId(finishedAt);
    commit(
      () => {
        insertDelivery.run(deliveryId, id, endpointId, state, finishedAt);
        insertAttempt.run(`${deliveryId}-1`, deliveryId, startedAt, finishedAt - startedAt, status, error);
      },
      () => undefined,
    );
  };
}

function readBody(req: IncomingMessage, then: (body: unknown) => void): void {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => {
    const [first] = parts;
    then(JSON.parse((parts.length === 1 && first ? first : Buffer.concat(parts)).toString('utf8')));
  });
}

function answer(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  res.end(text);
}

function answerOf({ id, type, acceptedAt }: Accepted): object {
  return { id, type, acceptedAt: new Date(acceptedAt).toISOString(), duplicate: false };
}

const app = express();
app.disable('x-powered-by');
app.disable('etag');

/** The endpoints of the organisation that the token belongs to, by event type. */
function authenticate(req: IncomingMessage): ReadonlyMap<string, readonly Target[]> {
  return targetsByKey.get(req.headers.authorization?.slice('Bearer '.length) ?? '') ?? new Map();
}

app.post('/v1/events', (req, res) => {
  readBody(req, (body) => {
    const event = accept(body as Published, authenticate(req));
    commit(
      () => {
        store(event);
      },
      () => {
        answer(res, 202, answerOf(event));
        deliver(event);
      },
    );
  });
});

app.post('/v1/events/batch', (req, res) => {
  readBody(req, (body) => {
    const byType = authenticate(req);
    const events = (body as { events: Published[] }).events.map((event) => accept(event, byType));
    commit(
      () => {
        events.forEach(store);
      },
      () => {
        answer(res, 202, { data: events.map(answerOf) });
        events.forEach(deliver);
      },
    );
  });
});

/** The event loop's delay since it was last asked for, named as prom-client names it. */
app.get('/metrics', (_req, res) => {
  res.type('text/plain').send(`nodejs_eventloop_lag_p99_seconds ${delay.percentile(99) / 1e9}\n`);
  delay.reset();
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit(0));
