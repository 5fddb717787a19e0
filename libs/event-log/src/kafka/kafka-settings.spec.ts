import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaConfig, readConfig, type Environment } from '@posthorn/runtime';
import { eventSizeProblems, kafkaProblems, kafkaSettingsOf } from './kafka-settings.ts';
import { defaultKafkaTopic } from './kafka-topic.ts';

const read = (env: Environment) =>
  readConfig(kafkaConfig, { POSTHORN_KAFKA_BROKERS: 'a:9092,b:9092', ...env });

describe('the settings of Kafka', () => {
  it('are two lines on a cluster of its own, and make a topic that loses nothing', () => {
    expect(kafkaProblems(read({}))).toEqual([]);
    expect(kafkaSettingsOf(read({}), 'dispatcher')).toEqual({
      connection: { brokers: ['a:9092', 'b:9092'], clientId: 'dispatcher', tls: undefined, sasl: undefined },
      topic: { name: 'posthorn.events', create: defaultKafkaTopic, dangerouslyAllowWeak: false },
    });
  });

  it('leave the topic to others when they are told so', () => {
    expect(kafkaSettingsOf(read({ POSTHORN_KAFKA_CREATE_TOPIC: 'off' }), 'x').topic.create).toBeUndefined();
  });

  it('speak TLS with certificates from files, and sign in', () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-kafka-'));
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, 'PEM');
    const { connection } = kafkaSettingsOf(
      read({
        POSTHORN_KAFKA_TLS_CA_FILE: ca,
        POSTHORN_KAFKA_SASL_MECHANISM: 'scram-sha-512',
        POSTHORN_KAFKA_USERNAME: 'posthorn',
        POSTHORN_KAFKA_PASSWORD: 'secret',
      }),
      'x',
    );
    expect(connection).toMatchObject({
      tls: { ca: 'PEM' },
      sasl: { mechanism: 'scram-sha-512', username: 'posthorn', password: 'secret' },
    });
    expect(kafkaSettingsOf(read({ POSTHORN_KAFKA_TLS: 'on' }), 'x').connection.tls).toEqual({});
    rmSync(folder, { recursive: true });
    expect(() => kafkaSettingsOf(read({ POSTHORN_KAFKA_TLS_CA_FILE: ca }), 'x')).toThrow(
      /ca\.pem can't be read/,
    );
  });

  it.each<[string, Environment, string]>([
    ['no broker', { POSTHORN_KAFKA_BROKERS: ',' }, 'POSTHORN_KAFKA_BROKERS'],
    ['a user without a mechanism', { POSTHORN_KAFKA_USERNAME: 'u' }, 'POSTHORN_KAFKA_SASL_MECHANISM'],
    [
      'a mechanism without a user',
      { POSTHORN_KAFKA_SASL_MECHANISM: 'plain', POSTHORN_KAFKA_PASSWORD: 'p' },
      'POSTHORN_KAFKA_USERNAME',
    ],
    [
      'a mechanism without a password',
      { POSTHORN_KAFKA_SASL_MECHANISM: 'plain', POSTHORN_KAFKA_USERNAME: 'u' },
      'POSTHORN_KAFKA_PASSWORD',
    ],
    ['a certificate without its key', { POSTHORN_KAFKA_TLS_CERT_FILE: '/c' }, 'POSTHORN_KAFKA_TLS_KEY_FILE'],
    [
      'more copies wanted than there are',
      { POSTHORN_KAFKA_TOPIC_REPLICATION: '1' },
      'POSTHORN_KAFKA_TOPIC_MIN_ISR',
    ],
  ])('name what is wrong with %s', (_what, env, variable) => {
    expect(kafkaProblems(read(env)).map((problem) => problem.variable)).toEqual([variable]);
  });

  it('hold no events that do not fit into a message', () => {
    expect(eventSizeProblems({ maxEventBytes: 256 * 1024 })).toEqual([]);
    expect(eventSizeProblems({ maxEventBytes: 3 * 2 ** 20 + 1 })).toHaveLength(1);
  });
});
