import { DomainError } from '@posthorn/models';
import type { Logger } from '@posthorn/runtime';
// Node finds only some names of this CommonJS package; the others are on its default export.
import kafkajs, { type Admin } from 'kafkajs';
import { isUnknownTopic } from './kafka-errors.ts';

/** The topic that is the log. */
export interface KafkaTopicOptions {
  readonly name: string;
  /** How to make it where it isn't there; absent: it isn't made. What is there is never changed. */
  readonly create?: NewKafkaTopic | undefined;
  /** Also starts on a topic that may lose accepted events; what is weak is then a warning. */
  readonly dangerouslyAllowWeak?: boolean | undefined;
}

export interface NewKafkaTopic {
  /** Bounds how many readers share the work. Changing it later moves keys: drain the log first. */
  readonly partitions: number;
  readonly replication: number;
  /** An event is durable once so many replicas have it. */
  readonly minInsyncReplicas: number;
  readonly retentionMs: number;
}

const dayMs = 86_400_000;
export const defaultKafkaTopic: NewKafkaTopic = {
  partitions: 12,
  replication: 3,
  minInsyncReplicas: 2,
  retentionMs: 7 * dayMs,
};

/** Bytes of the largest group of records: room for one event with the largest payload, and for groups that are worth it. */
const maxMessageBytes = 4 * 1024 * 1024;

/** What a topic is like, as far as it decides whether accepted events are safe in it. */
export interface TopicFacts {
  /** Of the partition that has the fewest. */
  readonly replication: number;
  readonly minInsyncReplicas: number;
  /** Milliseconds; -1 is for ever. */
  readonly retentionMs: number;
  /** Per partition; -1 is without a bound. */
  readonly retentionBytes: number;
  readonly cleanupPolicy: string;
  readonly allowsUncleanElection: boolean;
}

/**
 * Makes the topic where that is asked for, and looks at what it promises. Answers its number of partitions.
 * `failed_precondition` when it isn't there, or may lose accepted events (all reasons at once).
 */
export async function prepareTopic(admin: Admin, topic: KafkaTopicOptions, logger: Logger): Promise<number> {
  const { name } = topic;
  let partitions = await partitionsOf(admin, name);
  if (partitions === null && topic.create !== undefined) {
    await createTopic(admin, name, topic.create);
    partitions = await partitionsOf(admin, name);
    logger.info({ topic: name, partitions: partitions?.length }, 'the topic was made');
  }
  if (partitions === null) {
    throw new DomainError(
      'failed_precondition',
      `Kafka has no topic "${name}" that we may see, and it isn't to be made at start.`,
    );
  }
  const replication = Math.min(...partitions.map(({ replicas }) => replicas.length));
  const weaknesses = weaknessesOf({ replication, ...(await settingsOf(admin, name)) });
  if (weaknesses.length > 0) {
    const message = `The topic "${name}" may lose accepted events: ${weaknesses.join('; ')}.`;
    if (topic.dangerouslyAllowWeak !== true) {
      throw new DomainError('failed_precondition', message, {
        violations: weaknesses.map((weakness) => ({ field: '/topic', code: 'weak', message: weakness })),
      });
    }
    logger.warn({ topic: name, weaknesses }, message);
  }
  return partitions.length;
}

/** Why accepted events aren't safe in such a topic; none when they are. */
export function weaknessesOf(topic: TopicFacts): string[] {
  const weaknesses: string[] = [];
  const { replication, minInsyncReplicas, retentionMs, retentionBytes, cleanupPolicy } = topic;
  if (retentionMs !== -1 && retentionMs < 7 * dayMs) {
    weaknesses.push(
      `retention.ms is ${retentionMs}, less than 7 days: what an outage leaves unread is deleted`,
    );
  }
  if (retentionBytes !== -1) {
    weaknesses.push(`retention.bytes is ${retentionBytes}: a burst deletes what wasn't read yet`);
  }
  if (cleanupPolicy !== 'delete') {
    weaknesses.push(`cleanup.policy is ${cleanupPolicy}: events are deleted by key`);
  }
  if (replication < 3)
    weaknesses.push(`it has ${replication} replica${replication === 1 ? '' : 's'}, less than 3`);
  if (minInsyncReplicas < 2) {
    weaknesses.push(
      `min.insync.replicas is ${minInsyncReplicas}, less than 2: one broker may hold the only copy`,
    );
  }
  if (minInsyncReplicas > replication) {
    weaknesses.push('min.insync.replicas is more than there are replicas: nothing can be written');
  }
  if (topic.allowsUncleanElection) {
    weaknesses.push(
      'unclean.leader.election.enable is true: a replica that lacks events may become the leader',
    );
  }
  return weaknesses;
}

async function partitionsOf(admin: Admin, name: string): Promise<{ replicas: number[] }[] | null> {
  const known = await admin.listTopics();
  if (!known.includes(name)) return null;
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
    return topics[0]?.partitions ?? null;
  } catch (error) {
    if (isUnknownTopic(error)) return null;
    throw error;
  }
}

/** Another process may be making it at the same moment: that is as good. */
async function createTopic(admin: Admin, name: string, create: NewKafkaTopic): Promise<void> {
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic: name,
        numPartitions: create.partitions,
        replicationFactor: create.replication,
        configEntries: [
          { name: 'min.insync.replicas', value: String(create.minInsyncReplicas) },
          { name: 'retention.ms', value: String(create.retentionMs) },
          { name: 'retention.bytes', value: '-1' },
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'unclean.leader.election.enable', value: 'false' },
          { name: 'max.message.bytes', value: String(maxMessageBytes) },
        ],
      },
    ],
  });
}

async function settingsOf(admin: Admin, name: string): Promise<Omit<TopicFacts, 'replication'>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
  });
  const values = new Map(
    resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
  );
  const value = (setting: string): string => {
    const found = values.get(setting);
    if (found === undefined) throw new Error(`Kafka didn't say what ${setting} of topic "${name}" is.`);
    return found;
  };
  return {
    minInsyncReplicas: Number(value('min.insync.replicas')),
    retentionMs: Number(value('retention.ms')),
    retentionBytes: Number(value('retention.bytes')),
    cleanupPolicy: value('cleanup.policy'),
    allowsUncleanElection: value('unclean.leader.election.enable') === 'true',
  };
}
