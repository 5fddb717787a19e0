/**
 * A receiver that counts by `webhook-id` what reaches each of its paths, and finds what was lost, doubled or overtaken. It
 * refuses some requests, so that there are retries, and takes its time, so that there is always something in flight.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AcceptedEvent, PublishedEvent } from './steady-load.ts';

export interface CountingReceiver {
  readonly url: string;
  /** Requests that are open now. */
  readonly inFlight: number;
  /** How large a share of the requests is refused with 500. */
  refuseShare: number;
  /** How long an answer takes, at most. */
  answerMs: number;
  mood: ReceiverMood;
  /** Breaks all connections that are open now. */
  cut(): void;
  at(path: string): PathLedger;
  close(): Promise<void>;
}

/**
 * How it treats what comes: takes it; never answers; sends the head of an answer a byte at a time, and never to its end; breaks the connection; says that
 * it has too much to do, and how many seconds to wait.
 */
export type ReceiverMood = 'well' | 'hanging' | 'dripping' | 'resetting' | 'busy';

/** What came to one path, which is one endpoint's. */
export interface PathLedger {
  readonly requests: number;
  readonly refused: number;
  /** Accepted events that never reached it. */
  missing(accepted: readonly AcceptedEvent[]): readonly AcceptedEvent[];
  /** Of events that had reached it or were reaching it: requests that came all the same. */
  readonly duplicates: number;
  /** How many events these were of: one that comes again may be refused then, and come once more. */
  readonly repeated: number;
  /** Of the duplicates: requests that came after a later event of the same client. */
  readonly lateDuplicates: number;
  /** What came before it should have, as text; none when each client's events came in their order. */
  overtakings(): readonly string[];
  /** Times of arrival by event: when it was taken first (by `performance.now`). */
  takenAt(id: string): number | undefined;
}

interface Arrival extends PublishedEvent {
  takenAtMs: number | undefined;
  open: number;
}

/** Starts one on a free port; `chance` gives numbers from 0 to 1, by which it refuses and takes its time. */
export async function startCountingReceiver(chance: () => number = Math.random): Promise<CountingReceiver> {
  const ledgers = new Map<string, Ledger>();
  let inFlight = 0;
  const ledgerAt = (path: string): Ledger => {
    let ledger = ledgers.get(path);
    if (ledger === undefined) ledgers.set(path, (ledger = new Ledger()));
    return ledger;
  };
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly data: PublishedEvent };
      const ledger = ledgerAt(req.url ?? '/');
      const arrival = ledger.arrive(String(req.headers['webhook-id']), data);
      const isRefused = chance() < receiver.refuseShare;
      inFlight += 1;
      const answer = (): void => {
        if (receiver.mood !== 'well' || isRefused) ledger.refused += 1;
        else arrival.takenAtMs ??= performance.now();
        if (receiver.mood === 'well') res.writeHead(isRefused ? 500 : 204).end();
        else misbehave(receiver.mood, res);
      };
      const timer = setTimeout(answer, chance() * receiver.answerMs);
      res.on('close', () => {
        clearTimeout(timer);
        inFlight -= 1;
        arrival.open -= 1;
      });
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;

  const receiver: CountingReceiver = {
    url: `http://127.0.0.1:${port}`,
    get inFlight() {
      return inFlight;
    },
    refuseShare: 0,
    answerMs: 0,
    mood: 'well',
    cut: () => server.closeAllConnections(),
    at: ledgerAt,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return receiver;
}

/** Every how many milliseconds a byte drips. */
const dripMs = 250;
const busySeconds = 1;

function misbehave(mood: Exclude<ReceiverMood, 'well'>, response: ServerResponse): void {
  switch (mood) {
    case 'hanging':
      return;
    case 'dripping': {
      const { socket } = response;
      socket?.write('HTTP/1.1 200 OK\r\nx-drips: ');
      const dripping = setInterval(() => socket?.write('.'), dripMs);
      response.once('close', () => clearInterval(dripping));
      return;
    }
    case 'resetting':
      response.socket?.resetAndDestroy();
      return;
    case 'busy':
      response.writeHead(429, { 'retry-after': String(busySeconds) }).end();
      return;
  }
}

class Ledger implements PathLedger {
  requests = 0;
  refused = 0;
  duplicates = 0;
  lateDuplicates = 0;
  readonly #arrivals = new Map<string, Arrival>();
  readonly #latest = new Map<string, Arrival>();
  readonly #repeated = new Set<Arrival>();
  readonly #overtakings: string[] = [];

  arrive(id: string, { client, n }: PublishedEvent): Arrival {
    this.requests += 1;
    let arrival = this.#arrivals.get(id);
    if (arrival === undefined) {
      arrival = { client, n, takenAtMs: undefined, open: 0 };
      this.#arrivals.set(id, arrival);
      this.#arriveFirst(arrival);
    } else if (arrival.takenAtMs !== undefined || arrival.open > 0) {
      this.duplicates += 1;
      this.#repeated.add(arrival);
      if ((this.#latest.get(client)?.n ?? 0) > n) this.lateDuplicates += 1;
    }
    arrival.open += 1;
    return arrival;
  }

  /** An event may come only when those of its client before it were taken. */
  #arriveFirst(arrival: Arrival): void {
    const latest = this.#latest.get(arrival.client);
    const expected = latest === undefined ? 0 : latest.n + 1;
    if (arrival.n !== expected) {
      this.#overtakings.push(`${arrival.client}: ${arrival.n} came when ${expected} was to come`);
    } else if (latest !== undefined && latest.takenAtMs === undefined) {
      this.#overtakings.push(`${arrival.client}: ${arrival.n} came before ${latest.n} was taken`);
    }
    if (latest === undefined || arrival.n > latest.n) this.#latest.set(arrival.client, arrival);
  }

  missing(accepted: readonly AcceptedEvent[]): readonly AcceptedEvent[] {
    return accepted.filter(({ id }) => this.takenAt(id) === undefined);
  }

  get repeated(): number {
    return this.#repeated.size;
  }

  overtakings(): readonly string[] {
    return this.#overtakings;
  }

  takenAt(id: string): number | undefined {
    return this.#arrivals.get(id)?.takenAtMs;
  }
}
