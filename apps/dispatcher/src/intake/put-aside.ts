import { DomainError } from '@posthorn/models';
import { sleep, type Clock, type Counter, type Logger, type Metrics } from '@posthorn/runtime';
import type { LogLoss } from '@posthorn/event-log';
import type { DeadRecord, DeadRecordKind, DeadRecordStore } from './dead-record-store.ts';

/**
 * Puts aside what can't be worked on, and alerts: an error in the log, and a counter that an alert rule watches. What is put aside is
 * durable when the promise resolves; while the store is away it is tried again until it can be.
 */
export interface PutAside {
  (record: Omit<DeadRecord, 'recordedAt'>): Promise<void>;
  loss(loss: LogLoss): Promise<void>;
}

const firstRetryMs = 100;
const longestRetryMs = 5000;

export function createPutAside(options: {
  readonly store: Pick<DeadRecordStore, 'add' | 'addLoss'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): PutAside {
  const { store, clock, logger, metrics } = options;
  const records: Counter<'kind'> = metrics.counter({
    name: 'posthorn_dead_records_total',
    help: 'Records that were put aside because they could not be worked on.',
    labels: ['kind'],
  });
  const losses: Counter<'reason'> = metrics.counter({
    name: 'posthorn_log_losses_total',
    help: 'Times that events were missing in the log before they had been read.',
    labels: ['reason'],
  });

  async function patiently(work: () => Promise<void>): Promise<void> {
    for (let delayMs = firstRetryMs; ; delayMs = Math.min(delayMs * 2, longestRetryMs)) {
      try {
        await work();
        return;
      } catch (error) {
        logger.error({ err: error, delayMs }, 'what was put aside could not be recorded; trying again');
        await sleep(clock, delayMs);
      }
    }
  }

  async function add(record: Omit<DeadRecord, 'recordedAt'>): Promise<void> {
    const { bytes, ...fields } = record;
    records.inc({ kind: record.kind });
    logger.error(
      { ...fields, length: bytes.byteLength },
      'a record was put aside: it could not be worked on',
    );
    const recordedAt = new Date(clock.now());
    await patiently(() => store.add({ ...record, recordedAt }));
  }

  return Object.assign(add, {
    async loss(loss: LogLoss) {
      losses.inc({ reason: loss.reason });
      logger.error({ ...loss }, 'events are missing in the log that were never read');
      const recordedAt = new Date(clock.now());
      await patiently(() => store.addLoss({ ...loss, recordedAt }));
    },
  });
}

/** The same for the same record, however often it is met. */
export function deadRecordId(kind: DeadRecordKind, ...place: readonly (string | number)[]): string {
  return [kind, ...place].join(':');
}

/** Whether an error says "not now" rather than "never": only then is waiting of any use. */
export function isTransient(error: unknown): boolean {
  const { code } = DomainError.from(error);
  return code === 'unavailable' || code === 'deadline_exceeded' || code === 'rate_limited';
}
