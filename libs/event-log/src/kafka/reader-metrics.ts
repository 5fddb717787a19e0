import type { Metrics } from '@posthorn/runtime';
import type { LogBatch, LogLoss } from '../event-log.ts';

/** What an operator sees of reading. Labelled by partition: there are as many as the topic has, whoever the tenants are. */
export interface ReaderMetrics {
  /** A batch was handed over; `end` is the position that the partition's next event will have. */
  read(partition: number, batch: LogBatch, end: number): void;
  end(partition: number, end: number): void;
  /** Everything before `next` is on record. */
  recorded(partition: number, next: number): void;
  forget(partition: number): void;
  lost(reason: LogLoss['reason']): void;
  rebalanced(): void;
  interrupted(): void;
}

export interface ReaderState {
  readonly partitions: () => number;
  readonly isConnected: () => boolean;
}

export function readerMetrics(metrics: Metrics, state: ReaderState): ReaderMetrics {
  const ends = new Map<number, number>();
  const records = new Map<number, number>();
  const batches = metrics.histogram({
    name: 'posthorn_log_batch_events',
    help: 'Events of one batch that was read from the log.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000],
  });
  const undecodable = metrics.counter({
    name: 'posthorn_log_undecodable_records_total',
    help: 'Records of the log that hold no event.',
  });
  const losses = metrics.counter({
    name: 'posthorn_log_losses_total',
    help: 'Times that events were missing in the log, by reason: kept for too short, or cut off.',
    labels: ['reason'],
  });
  const rebalances = metrics.counter({
    name: 'posthorn_log_rebalances_total',
    help: 'Times that the partitions were shared out anew.',
  });
  const interruptions = metrics.counter({
    name: 'posthorn_log_interruptions_total',
    help: 'Times that reading had to begin again because the log was away.',
  });
  metrics.gauge({
    name: 'posthorn_log_partitions',
    help: 'Partitions that this process reads.',
    collect: (gauge) => gauge.set(state.partitions()),
  });
  metrics.gauge({
    name: 'posthorn_log_connected',
    help: '1 while this process is a member of the group of readers.',
    collect: (gauge) => gauge.set(state.isConnected() ? 1 : 0),
  });
  metrics.gauge({
    name: 'posthorn_log_lag_events',
    help: 'Events of a partition that this process reads which are in the log and not on record yet.',
    labels: ['partition'],
    collect(gauge) {
      gauge.reset();
      for (const [partition, next] of records) {
        gauge.set({ partition: String(partition) }, Math.max(0, (ends.get(partition) ?? next) - next));
      }
    },
  });

  return {
    read(partition, batch, end) {
      batches.observe(batch.events.length);
      if (batch.undecodable !== undefined) undecodable.inc(batch.undecodable.length);
      const first = batch.events[0]?.position;
      if (!records.has(partition) && first !== undefined) records.set(partition, first);
      ends.set(partition, end);
    },
    end: (partition, end) => void ends.set(partition, end),
    recorded: (partition, next) => void records.set(partition, next),
    forget(partition) {
      ends.delete(partition);
      records.delete(partition);
    },
    lost: (reason) => losses.inc({ reason }),
    rebalanced: () => rebalances.inc(),
    interrupted: () => interruptions.inc(),
  };
}
