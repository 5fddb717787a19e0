import { sleep, type Clock, type Logger } from '@posthorn/runtime';
import { offsetOf, type PartitionBounds } from './log-bounds.ts';
import type { ReaderMetrics } from './reader-metrics.ts';

/**
 * How far reading is behind, for those who watch: what is on record is told to Kafka now and then (where reading begins is
 * never taken from there), and what there is to read is asked. Nothing depends on it; while Kafka is away it is not known.
 */
export interface LagReport {
  /** Everything before `next` is on record. */
  recorded(partition: number, next: number): void;
  /** As `recorded`, unless something is known already: a partition in which nothing happens has its place in Kafka too. */
  begins(partition: number, next: number): void;
  forget(partition: number): void;
  /** Tells Kafka what is new. */
  commit(): Promise<void>;
  /** Reports until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

export interface LagReportOptions {
  readonly partitions: () => Iterable<number>;
  readonly commitOffsets: (offsets: readonly { partition: number; offset: string }[]) => Promise<void>;
  readonly boundsOf: (partition: number) => Promise<PartitionBounds>;
  readonly everyMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ReaderMetrics;
}

export function createLagReport(options: LagReportOptions): LagReport {
  const { partitions, boundsOf, metrics, clock, logger } = options;
  /** By partition: what Kafka hasn't been told. */
  const news = new Map<number, number>();
  const begun = new Set<number>();

  function recorded(partition: number, next: number): void {
    begun.add(partition);
    news.set(partition, next);
    metrics.recorded(partition, next);
  }

  async function commit(): Promise<void> {
    const told = [...news];
    if (told.length === 0) return;
    await options.commitOffsets(told.map(([partition, next]) => ({ partition, offset: offsetOf(next) })));
    for (const [partition, next] of told) if (news.get(partition) === next) news.delete(partition);
  }

  async function report(): Promise<void> {
    await commit();
    for (const partition of partitions()) metrics.end(partition, (await boundsOf(partition)).next);
  }

  return {
    recorded,
    begins(partition, next) {
      if (!begun.has(partition)) recorded(partition, next);
    },
    forget(partition) {
      begun.delete(partition);
      news.delete(partition);
      metrics.forget(partition);
    },
    commit,
    async run(signal) {
      while (!signal.aborted) {
        await sleep(clock, options.everyMs, signal);
        if (signal.aborted) return;
        await report().catch((error: unknown) =>
          logger.debug({ err: error }, 'how far reading is behind is not known now'),
        );
      }
    },
  };
}
