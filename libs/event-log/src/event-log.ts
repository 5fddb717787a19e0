import type { Event } from '@posthorn/models';

/**
 * The log: where an accepted event is durable before its producer is answered, and from where the dispatcher reads it.
 * It is split into partitions; within one, `position` gives the order, beginning with 1. Adapters: `sqlite` (the events
 * table itself, one partition) and, on a cluster, Kafka.
 */
export interface EventLogWriter {
  /**
   * Resolves when the event is durable. Appending an event whose (organisation, id) is there already changes nothing, or
   * where the log can't tell, is found out by its reader.
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

/** What stands in the log and isn't an event: put on record as it is, so that it stops nobody. */
export interface UndecodableRecord {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly reason: string;
}

export interface LogBatch {
  readonly partition: number;
  /** In the order of their positions. */
  readonly events: readonly LoggedEvent[];
  /** Absent: none. Their positions are among those of the events, and no event has them. */
  readonly undecodable?: readonly UndecodableRecord[];
  /** True when these may have been read before: after a start, or when the partition changed hands. */
  readonly mayRepeat: boolean;
}

/**
 * What should have come next isn't in the log any more: it was kept for too short (`expired`), or its end was cut off
 * (`truncated`), and new events may since stand at positions that others had.
 */
export interface LogLoss {
  readonly partition: number;
  readonly reason: 'expired' | 'truncated';
  /** The position that should have come next. */
  readonly from: number;
  /** The one that comes next instead: behind `from` when `expired`, before it when `truncated`. */
  readonly next: number;
}

/** The reading side's own books decide where reading begins; the log only hands over. */
export interface LogConsumer {
  /**
   * A partition is ours: answers the next position to read, 1 where nothing was read yet. May take as long as it needs, for
   * example until a former owner's lease has ended; other partitions go on meanwhile. Asked again when it rejects.
   */
  assigned(partition: number): Promise<number>;
  /** Takes a batch over and returns at once; what becomes of it is the consumer's business. */
  deliver(batch: LogBatch): void;
  /**
   * A partition isn't ours any more: start nothing new of it. Resolves when it can be given away, and isn't assigned again
   * before. May come before `assigned` has answered; that answer is then not used.
   */
  revoked(partition: number): Promise<void>;
  /** Something is missing: it has to be put on record, and the books go on at `loss.next`, the position that comes next. */
  lost(loss: LogLoss): void;
}

export interface EventLogReader {
  /** How many partitions the log has; known when the first is assigned, and fixed while it is read. */
  readonly partitions: number;
  start(consumer: LogConsumer): Promise<void>;
  /**
   * Stops handing over until `resume`; what comes meanwhile stays in the log, not in memory. A partition that was given away
   * and comes back isn't paused.
   */
  pause(partition: number): void;
  resume(partition: number): void;
  /**
   * The consumer has lost its place in the partition, for example because another process took its lease: asks `assigned`
   * again, as if the partition had only just become ours, and hands over nothing until that has answered. Nothing happens
   * when the partition isn't ours any more.
   */
  reopen(partition: number): void;
  /**
   * Everything before `next` is on record. For the log's own figures only (how far behind its readers are): where reading
   * begins is what the consumer's books say.
   */
  recorded(partition: number, next: number): void;
  /** Hands over nothing more, and gives all partitions back. */
  stop(): Promise<void>;
}
