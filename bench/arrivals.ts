/**
 * Joins what the publisher noted with what the receiver noted: rates, latencies, and whether every delivery of every
 * accepted event arrived, exactly once.
 */
import { firstEndpointOf } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** Rows of four: first event number, events, sent at, accepted at (0: not accepted); microseconds. */
export type PublishedRows = Float64Array;
/** Rows of three: endpoint, event number, arrived at; microseconds. */
export type ArrivedRows = Float64Array;

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Outcome {
  readonly accepted: number;
  /** That should have arrived, and did, once or more often. */
  readonly deliveries: number;
  readonly missing: number;
  readonly duplicates: number;
  /** Arrivals that nothing explains: another endpoint's, or an event that wasn't accepted. */
  readonly stray: number;
  readonly acceptedPerSecond: number;
  /** From the first request to the last delivery. */
  readonly deliveriesPerSecond: number;
  /** From the moment at which the answer was read; an earlier arrival counts as 0. */
  readonly acceptToReceive: Latency;
  /** From sending, or, at a fixed rate, from when it should have been sent. */
  readonly sendToReceive: Latency;
}

/** Arrivals of events below `first` are of the warm-up, and left out. */
export function join(
  scenario: Scenario,
  { first, count }: { readonly first: number; readonly count: number },
  published: PublishedRows,
  arrived: ArrivedRows,
): Outcome {
  const { fanout, hanging } = scenario;
  const sentAt = new Float64Array(count);
  const acceptedAt = new Float64Array(count);
  let accepted = 0;
  let firstSent = Infinity;
  let lastAccepted = 0;
  for (let row = 0; row + 3 < published.length; row += 4) {
    const [number = 0, events = 0, sent = 0, answered = 0] = published.subarray(row, row + 4);
    firstSent = Math.min(firstSent, sent);
    if (answered === 0) continue;
    accepted += events;
    lastAccepted = Math.max(lastAccepted, answered);
    sentAt.fill(sent, number - first, number - first + events);
    acceptedAt.fill(answered, number - first, number - first + events);
  }

  const seen = new Uint8Array(count * fanout);
  const fromAccept: number[] = [];
  const fromSend: number[] = [];
  let duplicates = 0;
  let stray = 0;
  let lastArrived = 0;
  for (let row = 0; row + 2 < arrived.length; row += 3) {
    const [endpoint = 0, number = 0, at = 0] = arrived.subarray(row, row + 3);
    const event = number - first;
    if (event < 0 && number >= 0) continue;
    const place = endpoint - firstEndpointOf(number, scenario);
    if (event < 0 || event >= count || acceptedAt[event] === 0 || place < hanging || place >= fanout) {
      stray++;
      continue;
    }
    const slot = event * fanout + place;
    if (seen[slot] === 1) {
      duplicates++;
      continue;
    }
    seen[slot] = 1;
    lastArrived = Math.max(lastArrived, at);
    fromAccept.push(Math.max(0, at - (acceptedAt[event] ?? 0)));
    fromSend.push(at - (sentAt[event] ?? 0));
  }

  const deliveries = fromAccept.length;
  return {
    accepted,
    deliveries,
    missing: accepted * (fanout - hanging) - deliveries,
    duplicates,
    stray,
    acceptedPerSecond: (accepted / (lastAccepted - firstSent)) * 1e6,
    deliveriesPerSecond: (deliveries / (lastArrived - firstSent)) * 1e6,
    acceptToReceive: latencyOf(fromAccept),
    sendToReceive: latencyOf(fromSend),
  };
}

function latencyOf(micros: readonly number[]): Latency {
  const sorted = Float64Array.from(micros).sort();
  const at = (share: number): number => (sorted[Math.ceil(sorted.length * share) - 1] ?? NaN) / 1_000;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
