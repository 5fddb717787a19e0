import { connect, type AddressInfo } from 'node:net';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { startKafka, type KafkaServer } from '@posthorn/stack';
import { createTestAuthority } from '@posthorn/testing';
import { RecordingConsumer, sampleEvent } from '../event-log.contract.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { createKafkaLogHarness, type KafkaLogHarness } from './kafka-event-log.harness.ts';
import { defaultKafkaTopic } from './kafka-topic.ts';

const sasl = { username: 'posthorn', password: 'a-good-one' } as const;
const authority = createTestAuthority();
const server = authority.issue({ names: ['127.0.0.1'] });
const client = authority.issue({ names: ['posthorn'] });

/** Ends TLS before a Kafka that knows nothing of it. */
class TlsListener {
  readonly #server: Server;
  target = 0;

  constructor(options: TlsOptions) {
    this.#server = createServer(options, (socket) => {
      const upstream = connect(this.target, '127.0.0.1');
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    this.#server.on('tlsClientError', () => {});
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

const tls = new TlsListener({ ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
let kafka: KafkaServer;
let harness: KafkaLogHarness;

beforeAll(async () => {
  kafka = await startKafka({ own: true, advertisedPort: await tls.listen(), sasl });
  tls.target = kafka.port!;
});
afterAll(async () => {
  await kafka.stop();
  await tls.close();
});
afterEach(() => harness.close());

function open(brokers: readonly string[], connection: Partial<KafkaConnectionOptions>): KafkaLogHarness {
  harness = createKafkaLogHarness({ brokers, connection, startPatienceMs: 0 });
  return harness;
}

async function passOneEvent(): Promise<void> {
  const writer = harness.writer();
  const consumer = new RecordingConsumer();
  await writer.start();
  await writer.append(sampleEvent(1));
  await harness.reader().start(consumer);
  await consumer.until(1);
}

const refusal = (code: string, words: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(words) });

describe('a Kafka that wants to know who one is', () => {
  it('takes our user name and password', async () => {
    open(kafka.saslBrokers, { sasl: { mechanism: 'plain', ...sasl } });
    await expect(passOneEvent()).resolves.toBeUndefined();
  });

  it.each([
    ['a wrong password', 'plain', 'wrong'],
    ['a mechanism that it does not offer', 'scram-sha-256', sasl.password],
  ] as const)('is not asked again after %s, which is said at once', async (_what, mechanism, password) => {
    open(kafka.saslBrokers, { sasl: { mechanism, username: sasl.username, password } });
    const words = 'Kafka refused the credentials';
    await expect(harness.writer().start()).rejects.toEqual(refusal('failed_precondition', words));
    await expect(harness.reader().start(new RecordingConsumer())).rejects.toEqual(
      refusal('failed_precondition', words),
    );
  });

  it('ends the connection of who does not say it, and the error says what may be missing', async () => {
    open(kafka.saslBrokers, {});
    await expect(harness.writer().start()).rejects.toEqual(refusal('unavailable', 'TLS or SASL'));
  });
});

describe('a Kafka behind TLS', () => {
  const trust = { ca: authority.cert, cert: client.cert, key: client.key };

  it('takes our certificate, and we take the one that our authority has signed', async () => {
    open(kafka.brokers, { tls: trust });
    await expect(passOneEvent()).resolves.toBeUndefined();
  });

  it('is refused when nobody we trust has signed its certificate', async () => {
    open(kafka.brokers, { tls: { cert: client.cert, key: client.key } });
    await expect(harness.writer().start()).rejects.toEqual(
      refusal('failed_precondition', "isn't trusted or isn't TLS"),
    );
  });

  it('refuses us without a certificate, and the error says so', async () => {
    open(kafka.brokers, { tls: { ca: authority.cert } });
    await expect(harness.writer().start()).rejects.toEqual(refusal('failed_precondition', 'certificate'));
  });

  it('is told apart from one that speaks no TLS', async () => {
    open([`127.0.0.1:${kafka.port}`], { tls: trust });
    await expect(harness.writer().start()).rejects.toMatchObject({ message: expect.stringContaining('TLS') });
  });
});

describe('a topic that may lose events', () => {
  it('is refused with everything that is weak about it, unless that is asked for in words', async () => {
    harness = createKafkaLogHarness({
      brokers: kafka.saslBrokers,
      connection: { sasl: { mechanism: 'plain', ...sasl } },
      topic: { dangerouslyAllowWeak: false },
    });
    await expect(harness.writer().start()).rejects.toEqual(
      refusal('failed_precondition', 'it has 1 replica, less than 3; min.insync.replicas is 1, less than 2'),
    );
  });

  it('is not made where it may not be, and its absence is said', async () => {
    harness = createKafkaLogHarness({
      brokers: kafka.saslBrokers,
      connection: { sasl: { mechanism: 'plain', ...sasl } },
      topic: { create: undefined },
    });
    await expect(harness.writer().start()).rejects.toEqual(
      refusal('failed_precondition', 'Kafka has no topic'),
    );
  });

  it('is not made with more replicas than there are brokers, and the error says so', async () => {
    harness = createKafkaLogHarness({
      brokers: kafka.saslBrokers,
      connection: { sasl: { mechanism: 'plain', ...sasl } },
      topic: { create: defaultKafkaTopic },
      startPatienceMs: 0,
    });
    await expect(harness.writer().start()).rejects.toMatchObject({
      message: expect.stringMatching(/replication.factor/i),
    });
  });
});
