import { sleep, type Clock, type Logger, type Metrics } from '@posthorn/runtime';
import type { EachBatchPayload } from 'kafkajs';
import type { EventLogReader, LogConsumer, LogLoss } from '../event-log.ts';
import { connectKafka, kafkaRetry, type KafkaConnectionOptions } from './kafka-connection.ts';
import { standardStartPatienceMs, waitForTopic } from './kafka-start.ts';
import type { KafkaTopicOptions } from './kafka-topic.ts';
import { createLagReport } from './lag-report.ts';
import { createReadBounds, offsetOf, type PartitionBounds, type ReadBounds } from './log-bounds.ts';
import { createPartitionCursor, type PartitionCursor } from './partition-cursor.ts';
import { readerMetrics } from './reader-metrics.ts';
import { stickyAssigner } from './sticky-assigner.ts';

/**
 * Reads a topic as a member of a consumer group, partition by partition.
 *
 * Guaranteed: reading of a partition begins where the consumer's books say, never where Kafka's own offsets do, and goes on
 * without a gap; a gap is reported as a loss. Nothing is handed over of a partition that is paused or whose place isn't
 * known yet. An outage of Kafka takes no partition away, however long it is: only the group does, or `stop`.
 * Not guaranteed: that nobody else reads the partition at the same time. For a moment after a rebalance its former reader may
 * still be at work, which is why `assigned` answers only once the consumer may write there.
 */
export interface KafkaEventLogReaderOptions {
  readonly connection: KafkaConnectionOptions;
  readonly topic: KafkaTopicOptions;
  /** The readers of one group share the partitions. */
  readonly groupId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<KafkaReaderLimits>;
  /** How long Kafka may be away at start; a minute when absent. */
  readonly startPatienceMs?: number;
}

export interface KafkaReaderLimits {
  /** A reader that isn't heard of for so long has left its group. */
  readonly sessionTimeoutMs: number;
  /** Of one fetch, at most (a record that is larger is fetched nevertheless). */
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
  /** How often Kafka is told what is on record, and asked how much there is to read. */
  readonly reportEveryMs: number;
}

const standardLimits: KafkaReaderLimits = {
  sessionTimeoutMs: 6000,
  maxBytesPerPartition: 1024 * 1024,
  maxBytes: 8 * 1024 * 1024,
  reportEveryMs: 5000,
};
/** How long a fetch waits for something new, and so how late a pause, a resume or a heartbeat may be. */
const maxWaitMs = 100;
const metadataMaxAgeMs = 5000;
const retryMs = 1000;
/** How long `stop` waits for Kafka, which it doesn't need. */
const farewellMs = 5000;

/** A partition that the group gave us. */
interface Holding {
  readonly partition: number;
  readonly cursor: PartitionCursor;
}

export function createKafkaEventLogReader(options: KafkaEventLogReaderOptions): EventLogReader {
  const { groupId, clock, logger } = options;
  const topic = options.topic.name;
  const limits = { ...standardLimits, ...options.limits };
  const kafka = connectKafka(options.connection, logger);
  let readBounds: ReadBounds | undefined;

  const holdings = new Map<number, Holding>();
  const paused = new Set<number>();
  /** Partitions that are being given away: not to be taken again before that is done. */
  const releasing = new Map<number, Promise<void>>();
  const stopping = new AbortController();
  let generation = -1;
  /** In the group now, so that kafkajs takes orders. */
  let joined = false;
  let partitionCount = 0;
  let running: Promise<void> = Promise.resolve();
  let reporting: Promise<void> = Promise.resolve();
  let consumer: LogConsumer | undefined;

  const metrics = readerMetrics(options.metrics, {
    partitions: () => holdings.size,
    isConnected: () => joined,
  });
  const member = kafka.consumer({
    groupId,
    partitionAssigners: [
      (given) => {
        readBounds = createReadBounds(given.cluster, topic);
        return stickyAssigner(topic, () => ({ partitions: [...holdings.keys()], generation }))(given);
      },
    ],
    sessionTimeout: limits.sessionTimeoutMs,
    rebalanceTimeout: Math.max(10_000, limits.sessionTimeoutMs),
    heartbeatInterval: Math.min(500, limits.sessionTimeoutMs / 3),
    maxWaitTimeInMs: maxWaitMs,
    maxBytesPerPartition: limits.maxBytesPerPartition,
    maxBytes: limits.maxBytes,
    allowAutoTopicCreation: false,
    // How long a partition that got its leader back may wait to be read.
    metadataMaxAge: metadataMaxAgeMs,
    // We start it again ourselves, so that `stop` knows of it.
    retry: { ...kafkaRetry, restartOnFailure: () => Promise.resolve(false) },
  });
  const lag = createLagReport({
    partitions: () => (joined ? [...holdings.keys()] : []),
    commitOffsets: (offsets) => member.commitOffsets(offsets.map((one) => ({ topic, ...one }))),
    boundsOf,
    everyMs: limits.reportEveryMs,
    clock,
    logger,
    metrics,
  });
  member.on('consumer.group_join', ({ payload }) => onJoin(payload.memberAssignment[topic] ?? []));
  member.on('consumer.heartbeat', ({ payload }) => {
    generation = payload.groupGenerationId;
  });
  member.on('consumer.crash', ({ payload }) => runAgain(payload.error));

  /** Resolves when kafkajs reads by itself, or has given up and is to be started again. */
  async function run(): Promise<void> {
    if (stopping.signal.aborted) return;
    try {
      await member.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => {
          take(payload);
          return Promise.resolve();
        },
      });
    } catch (error) {
      runAgain(error);
    }
  }

  function runAgain(error: unknown): void {
    joined = false;
    if (stopping.signal.aborted) return;
    logger.warn({ err: error, groupId }, 'reading of the log was interrupted; trying again');
    metrics.interrupted();
    running = sleep(clock, retryMs, stopping.signal).then(run);
  }

  /** Runs before the first fetch of the new generation, and has to be done by then: everything here is synchronous. */
  function onJoin(partitions: readonly number[]): void {
    if (stopping.signal.aborted) return;
    joined = true;
    metrics.rebalanced();
    const before = [...holdings.keys()];
    for (const partition of before) if (!partitions.includes(partition)) release(partition);
    for (const partition of partitions) {
      const holding = holdings.get(partition);
      if (holding === undefined) acquire(partition);
      else if (holding.cursor.next !== undefined) seek(partition, holding.cursor.next);
    }
    for (const partition of partitions) applyPause(partition);
    logger.info({ topic, partitions, before }, 'the partitions were shared out');
  }

  function acquire(partition: number): void {
    const holding: Holding = { partition, cursor: createPartitionCursor(partition) };
    holdings.set(partition, holding);
    void begin(holding);
  }

  /** From the group's word that a partition is ours to its first fetch. */
  async function begin(holding: Holding): Promise<void> {
    await releasing.get(holding.partition);
    const next = await patiently(holding, 'a partition waits for its books', () =>
      (consumer as LogConsumer).assigned(holding.partition),
    );
    if (next !== undefined) await open(holding, next);
  }

  async function open(holding: Holding, next: number): Promise<void> {
    const { partition, cursor } = holding;
    let known = await lookAt(holding);
    if (known !== undefined && next > known.next) {
      // The log seems to have lost its end: not on the word of a leader that is only just elected.
      await sleep(clock, retryMs, stopping.signal);
      known = await lookAt(holding);
    }
    if (known === undefined) return;
    const loss = cursor.open(next, known);
    try {
      reportLoss(loss);
    } catch (error) {
      void retryFrom(holding, next, error);
      return;
    }
    // kafkajs wants to know where each of its partitions stands in Kafka before it reads any of them.
    lag.begins(partition, cursor.next ?? next);
    seek(partition, cursor.next ?? next);
    applyPause(partition);
  }

  function lookAt(holding: Holding): Promise<PartitionBounds | undefined> {
    return patiently(holding, 'a partition waits for Kafka', () => boundsOf(holding.partition));
  }

  function boundsOf(partition: number): Promise<PartitionBounds> {
    if (readBounds === undefined || !joined) return Promise.reject(new Error('Kafka is away.'));
    return readBounds(partition);
  }

  /** Tries until it is done, or the partition isn't held any more: then the answer is undefined. */
  async function patiently<T>(
    holding: Holding,
    what: string,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    while (isHeld(holding)) {
      try {
        const value = await work();
        return isHeld(holding) ? value : undefined;
      } catch (error) {
        if (!isHeld(holding)) return undefined;
        logger.error({ err: error, partition: holding.partition }, `${what}; trying again`);
        await sleep(clock, retryMs, stopping.signal);
      }
    }
    return undefined;
  }

  function isHeld(holding: Holding): boolean {
    return !stopping.signal.aborted && holdings.get(holding.partition) === holding;
  }

  function take({ batch: fetched, resolveOffset }: EachBatchPayload): void {
    const holding = holdings.get(fetched.partition);
    // What isn't resolved is fetched again.
    if (holding === undefined || consumer === undefined || !isHeld(holding)) return;
    if (paused.has(fetched.partition)) return;
    const { partition, cursor } = holding;
    const standing = cursor.next;
    const taken = cursor.take(fetched);
    switch (taken.kind) {
      case 'nothing':
        if (cursor.isOpen) resolveOffset(fetched.lastOffset());
        return;
      case 'unsure':
        applyPause(partition);
        if (standing !== undefined) void open(holding, standing);
        return;
      case 'batch':
        try {
          reportLoss(taken.loss);
          consumer.deliver(taken.batch);
        } catch (error) {
          void retryFrom(holding, standing, error);
          return;
        }
        resolveOffset(fetched.lastOffset());
        metrics.read(partition, taken.batch, Number(fetched.highWatermark) + 1);
    }
  }

  /** Nothing is passed over because of a fault in whoever was to take it. */
  async function retryFrom(holding: Holding, position: number | undefined, error: unknown): Promise<void> {
    const { partition, cursor } = holding;
    logger.error({ err: error, partition }, 'what was read could not be handed over; trying again');
    if (position === undefined) return;
    cursor.rewind(position);
    applyPause(partition);
    await sleep(clock, retryMs, stopping.signal);
    if (isHeld(holding)) await open(holding, position);
  }

  function reportLoss(loss: LogLoss | undefined): void {
    if (loss === undefined) return;
    metrics.lost(loss.reason);
    logger.error({ ...loss, topic }, 'events are missing in the log; reading goes on behind them');
    consumer?.lost(loss);
  }

  function release(partition: number): void {
    holdings.delete(partition);
    paused.delete(partition);
    lag.forget(partition);
    const release = (consumer as LogConsumer)
      .revoked(partition)
      .catch((error: unknown) => logger.error({ err: error, partition }, 'a partition was given away badly'))
      .finally(() => {
        if (releasing.get(partition) === release) releasing.delete(partition);
      });
    releasing.set(partition, release);
  }

  function seek(partition: number, position: number): void {
    order(() => member.seek({ topic, partition, offset: offsetOf(position) }));
  }

  /** Nothing is fetched that couldn't be handed over. */
  function applyPause(partition: number): void {
    const isReady = holdings.get(partition)?.cursor.isOpen === true && !paused.has(partition);
    order(() => member[isReady ? 'resume' : 'pause']([{ topic, partitions: [partition] }]));
  }

  /** Outside of the group kafkajs takes no orders; joining it brings everything up to date. */
  function order(give: () => void): void {
    if (joined) give();
  }

  return {
    get partitions() {
      return partitionCount;
    },
    async start(newConsumer) {
      const patienceMs = options.startPatienceMs ?? standardStartPatienceMs;
      partitionCount = await waitForTopic({
        connection: options.connection,
        topic: options.topic,
        clock,
        logger,
        patienceMs,
      });
      consumer = newConsumer;
      await member.subscribe({ topics: [topic], fromBeginning: true });
      running = run();
      reporting = lag.run(stopping.signal);
    },
    pause(partition) {
      paused.add(partition);
      if (holdings.has(partition)) applyPause(partition);
    },
    resume(partition) {
      if (paused.delete(partition) && holdings.has(partition)) applyPause(partition);
    },
    reopen(partition) {
      if (!holdings.has(partition) || stopping.signal.aborted) return;
      acquire(partition);
      applyPause(partition);
    },
    recorded(partition, next) {
      if (holdings.has(partition)) lag.recorded(partition, next);
    },
    async stop() {
      if (stopping.signal.aborted) return;
      const held = [...holdings.keys()];
      const lastCommit = joined ? lag.commit().catch(() => undefined) : undefined;
      stopping.abort();
      for (const partition of held) release(partition);
      // kafkajs can't be stopped while it starts.
      const farewell = Promise.all([running, lastCommit])
        .then(() => member.disconnect())
        .then(() => reporting);
      joined = false;
      const patience = new AbortController();
      await Promise.all([
        ...releasing.values(),
        Promise.race([farewell, sleep(clock, farewellMs, patience.signal)]),
      ]);
      patience.abort();
    },
  };
}
