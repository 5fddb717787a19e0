/**
 * Publishes a stream of events in batches, a few of them under way at a time: memory is bounded whatever the stream's length.
 * What the API couldn't take (503, 429, a broken connection) is sent again with the same ids until it is known, or until
 * `giveUpAfterMs` have passed; so nothing is lost and nothing is doubled. One bad event spoils none of the others.
 */
import { sleep, type Clock, type Random } from '@posthorn/runtime';
import type { ApiClient } from '../client/api-client.ts';
import {
  ApiError,
  isNobodyThere,
  isTransient,
  type Problem,
  type UnreachableError,
} from '../client/api-error.ts';
import type { NewEvent } from './new-event.ts';
import type { AcceptedEvent } from '../client/resources.ts';

export interface NumberedEvent extends NewEvent {
  /** Where it came from: the number of its line, and the line. */
  readonly line: number;
  readonly input: string;
}

/** What became of one event. */
export type PublishOutcome =
  | { readonly kind: 'accepted'; readonly event: NumberedEvent; readonly answer: AcceptedEvent }
  | { readonly kind: 'refused'; readonly event: NumberedEvent; readonly problem: Problem };

export interface PublishStreamOptions {
  readonly api: Pick<ApiClient, 'send'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly maxBatchItems: number;
  readonly maxBatchBytes: number;
  /** Batches under way at a time. */
  readonly concurrency: number;
  /** How long one batch is tried. */
  readonly giveUpAfterMs: number;
  /** Called once for each event, in no particular order. */
  readonly onOutcome: (outcome: PublishOutcome) => void;
  /** Called when a batch has to wait before it is sent again. */
  readonly onRetry?: (reason: Error) => void;
}

/** One result of `POST /v1/events/batch`. */
type BatchResult = AcceptedEvent | Problem;

/**
 * Resolves when every event has its outcome; after an abort, when those under way have theirs. Rejects with the error that
 * ended it: a refusal of everything (401, 403, …), or the API being away for too long. Events without an outcome by then
 * weren't accepted as far as is known.
 */
export async function publishStream(
  events: AsyncIterable<NumberedEvent> | Iterable<NumberedEvent>,
  options: PublishStreamOptions,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let hasOutcome = false;
  const sender: PublishStreamOptions = {
    ...options,
    onOutcome(outcome) {
      hasOutcome = true;
      options.onOutcome(outcome);
    },
  };
  const start = (batch: readonly NumberedEvent[]): void => {
    const sending: Promise<void> = publishBatch(batch, sender, () => hasOutcome)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  };

  try {
    for await (const batch of inBatches(events, options)) {
      if (options.signal.aborted || failures.length > 0) break;
      start(batch);
      if (underWay.size >= options.concurrency) await Promise.race(underWay);
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failures.length > 0) throw failures[0];
}

async function* inBatches(
  events: AsyncIterable<NumberedEvent> | Iterable<NumberedEvent>,
  { maxBatchItems, maxBatchBytes }: PublishStreamOptions,
): AsyncGenerator<NumberedEvent[], void, undefined> {
  let batch: NumberedEvent[] = [];
  let bytes = 0;
  for await (const event of events) {
    const size = Buffer.byteLength(event.json) + 1;
    if (batch.length > 0 && (batch.length >= maxBatchItems || bytes + size > maxBatchBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(event);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

async function publishBatch(
  batch: readonly NumberedEvent[],
  options: PublishStreamOptions,
  hasOutcome: () => boolean,
): Promise<void> {
  const { clock, random, signal, giveUpAfterMs, onRetry } = options;
  const deadline = clock.monotonic() + giveUpAfterMs;
  let waiting = batch;
  for (let round = 0; waiting.length > 0; round += 1) {
    const { unknown, reason } = await publishOnce(waiting, options);
    waiting = unknown;
    if (!reason || waiting.length === 0) return;
    const backoffMs = Math.min(200 * 2 ** round, 5_000) * (0.8 + 0.4 * random.number());
    const waitMs = Math.max(backoffMs, reason instanceof ApiError ? (reason.retryAfterMs ?? 0) : 0);
    // Nobody there, and there never was: the address is wrong, and waiting won't help.
    const isHopeless = isNobodyThere(reason) && !hasOutcome();
    if (isHopeless || clock.monotonic() + waitMs > deadline || signal.aborted) throw reason;
    onRetry?.(reason);
    await sleep(clock, waitMs, signal);
  }
}

interface Round {
  /** Events that have to be sent again. */
  readonly unknown: readonly NumberedEvent[];
  readonly reason?: ApiError | UnreachableError;
}

async function publishOnce(batch: readonly NumberedEvent[], options: PublishStreamOptions): Promise<Round> {
  const { api, onOutcome } = options;
  let results: readonly BatchResult[];
  try {
    const body = `{"events":[\n${batch.map(({ json }) => json).join(',\n')}\n]}`;
    const answer = await api.send<{ readonly data: readonly BatchResult[] }>('POST', '/v1/events/batch', {
      body,
    });
    results = answer.data;
  } catch (error) {
    if (isTransient(error)) return { unknown: batch, reason: error };
    if (error instanceof ApiError && isAboutTheBody(error)) return publishHalves(batch, error, options);
    throw error;
  }

  const unknown: NumberedEvent[] = [];
  let reason: ApiError | undefined;
  for (const [index, event] of batch.entries()) {
    const result = results[index];
    if (result === undefined) {
      unknown.push(event);
      reason ??= new ApiError({
        status: 503,
        code: 'unavailable',
        detail: 'The answer has no result for an event.',
      });
    } else if (!('status' in result)) {
      // A minted id that is known already: an earlier try had arrived.
      onOutcome({
        kind: 'accepted',
        event,
        answer: { ...result, duplicate: result.duplicate && event.isKeyed },
      });
    } else if (result.status >= 500 || result.status === 429) {
      unknown.push(event);
      reason ??= new ApiError(result);
    } else {
      onOutcome({ kind: 'refused', event, problem: result });
    }
  }
  return { unknown, ...(reason && { reason }) };
}

/** The API refused the whole body: it is too large, or one of its events is nested too deeply to be read. */
function isAboutTheBody({ problem: { status } }: ApiError): boolean {
  return status === 400 || status === 413;
}

/** Finds the event that spoils its batch, so that it alone is refused. */
async function publishHalves(
  batch: readonly NumberedEvent[],
  error: ApiError,
  options: PublishStreamOptions,
): Promise<Round> {
  const [only] = batch;
  if (batch.length === 1 && only) {
    options.onOutcome({ kind: 'refused', event: only, problem: error.problem });
    return { unknown: [] };
  }
  const middle = Math.ceil(batch.length / 2);
  const first = await publishOnce(batch.slice(0, middle), options);
  const second = await publishOnce(batch.slice(middle), options);
  const reason = first.reason ?? second.reason;
  return { unknown: [...first.unknown, ...second.unknown], ...(reason && { reason }) };
}
