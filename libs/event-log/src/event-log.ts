import type { Event } from '@posthorn/models';

/**
 * The log: where an accepted event is durable before its producer is answered, and from where the dispatcher reads it.
 * It is split into partitions; within one, `position` gives the order. Adapters: `sqlite` (the events table itself, one
 * partition) and, on a cluster, Kafka.
 */
export interface EventLogWriter {
  /**
   * Resolves when the event is durable. Appending an event whose (organisation, id) is there already changes nothing.
   * Errors: `unavailable` when it can't be made durable now or too much waits; it is then not known whether it is.
   */
  append(event: Event): Promise<Appended>;
  /** Resolves when everything that was appended before is settled. */
  drain(): Promise<void>;
}

export interface Appended {
  /** True when the log can tell that the event was there before. */
  readonly duplicate: boolean;
}

export interface LoggedEvent {
  readonly position: number;
  readonly event: Event;
}

export interface LogBatch {
  readonly partition: number;
  readonly events: readonly LoggedEvent[];
  /** True when these may have been read before: after a start, or when the partition changed hands. */
  readonly mayRepeat: boolean;
}

/** The reading side's own books decide where reading begins; the log only hands over. */
export interface LogConsumer {
  /** A partition is ours: answers the next position to read. */
  assigned(partition: number): Promise<number>;
  /** Takes a batch over and returns at once; what becomes of it is the consumer's business. */
  deliver(batch: LogBatch): void;
  /** A partition isn't ours any more: start nothing new of it. Resolves when it can be given away. */
  revoked(partition: number): Promise<void>;
}

export interface EventLogReader {
  start(consumer: LogConsumer): Promise<void>;
  /** Stops handing over until `resume`; what comes meanwhile stays in the log, not in memory. */
  pause(partition: number): void;
  resume(partition: number): void;
  stop(): Promise<void>;
}
