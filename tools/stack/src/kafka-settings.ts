/** One node that is broker and controller, quick to start, to rebalance and to notice that it was killed. */
export interface KafkaAddresses {
  readonly port: number;
  readonly controllerPort: number;
  /** The port that clients are told to connect to; another than `port` when a proxy stands between. */
  readonly advertisedPort: number;
  /** Where it listens: 127.0.0.1, or everywhere within a container, of which only 127.0.0.1 is published. */
  readonly listenHost: string;
  /** A listener of its own for clients that have to say who they are. */
  readonly sasl?: KafkaSaslListener;
}

/** SASL PLAIN, without TLS. */
export interface KafkaSaslListener {
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** The settings of Kafka's `server.properties`, but for where the data are. */
export function kafkaSettings({
  port,
  controllerPort,
  advertisedPort,
  listenHost,
  sasl,
}: KafkaAddresses): Readonly<Record<string, string>> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [
      `PLAINTEXT://${listenHost}:${port}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...(sasl ? [`SASL://${listenHost}:${sasl.port}`] : []),
    ].join(),
    'advertised.listeners': [
      `PLAINTEXT://127.0.0.1:${advertisedPort}`,
      ...(sasl ? [`SASL://127.0.0.1:${sasl.port}`] : []),
    ].join(),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    ...(sasl && {
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT',
      'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required ' +
        `user_${sasl.username}="${sasl.password}";`,
    }),
    // There is one broker.
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // Quick: few internal partitions to load, groups that don't wait for company, short sessions for those killed.
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.num.partitions': '3',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    // A broker that was killed may register again when its old session is over; a busy one isn't to lose its own.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // Fits into a small heap.
    'log.cleaner.dedupe.buffer.size': '8388608',
    // A topic that a test forgot to make is a fault of the test.
    'auto.create.topics.enable': 'false',
  };
}

/** As a file of Java properties. */
export function asProperties(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** As the official image takes them: `node.id` is KAFKA_NODE_ID. */
export function asImageEnvironment(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).map(
    ([name, value]) => `KAFKA_${name.toUpperCase().replaceAll('.', '_')}=${value}`,
  );
}
