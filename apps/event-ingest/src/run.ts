/** The service as a process of its own: between the gateway and Kafka. From top to bottom, released in reverse. */
import { configV1 } from '@posthorn/contracts';
import { createKafkaEventLogWriter, kafkaSettingsOf } from '@posthorn/event-log';
import { connectMongo, mongoSettingsOf } from '@posthorn/mongo';
import {
  openServiceClients,
  openTokenAuthentication,
  openTransportSecurity,
  rpcServerSettingsOf,
  transportSecurityOf,
} from '@posthorn/rpc';
import { oidcSettingsOf, publishLimitsOf, systemRandom, type ProcessContext } from '@posthorn/runtime';
import type { IngestConfig } from './config.ts';
import { createNetworkListener } from './network-listener.ts';
import { createMongoReservationStore } from './reservations/reservation-store.mongo.ts';
import { createMongoUsageStore } from './limits/usage-store.mongo.ts';
import { createIngestService, ownPrincipal } from './service.ts';

/** How long calls under way have to end once their streams are closed. */
const grpcGraceMs = 10_000;
/** A stream ends well before its connection is ended for its age. */
const streamShareOfConnection = 0.8;

/** Resolves when the service takes events. */
export async function run(config: IngestConfig, context: ProcessContext): Promise<void> {
  const { logger, metrics, clock, lifecycle, readiness } = context;
  const security = openTransportSecurity({
    service: 'event-ingest',
    settings: transportSecurityOf(config),
    clock,
    logger,
    metrics,
  });
  lifecycle.defer('certificates', () => security.close());

  const clients = await openServiceClients({ service: 'config', address: config.configAddress, security });
  lifecycle.defer('clients of config', () => clients.close());

  const database = await readiness.waitFor('MongoDB', () =>
    connectMongo({ ...mongoSettingsOf(config), clock, logger, metrics }),
  );
  lifecycle.defer('MongoDB', () => database.close());
  const reservations = await readiness.waitFor('MongoDB', () => createMongoReservationStore(database));
  const usage = await readiness.waitFor('MongoDB', () => createMongoUsageStore(database));

  const log = createKafkaEventLogWriter({
    ...kafkaSettingsOf(config, 'posthorn-event-ingest'),
    compression: config.kafkaCompression,
    clock,
    logger,
    metrics,
    // Waiting is told of here, with its reason.
    startPatienceMs: 0,
  });
  await readiness.waitFor('Kafka', () => log.start());
  lifecycle.defer('Kafka', () => log.stop());

  const ingest = createIngestService({
    log,
    reservations,
    usage,
    directory: clients.of(configV1.DirectoryServiceService),
    clock,
    random: systemRandom,
    logger,
    metrics,
    limits: {
      maxPayloadBytes: config.maxEventBytes,
      publishing: publishLimitsOf(config),
      maxStreamAgeMs: config.grpcMaxConnectionAgeMs * streamShareOfConnection,
    },
  });
  const listener = createNetworkListener({
    ingest,
    keys: clients.of(configV1.KeyServiceService),
    tokens: openTokenAuthentication({
      settings: oidcSettingsOf(config),
      organisations: clients.of(configV1.OrganisationServiceService),
      principal: ownPrincipal,
      clock,
      logger,
    }),
    ...rpcServerSettingsOf(config),
    security,
    clock,
    logger,
    metrics,
  });
  ingest.start();
  lifecycle.defer('gRPC', async () => {
    listener.setServing(false);
    // Streams end once what was read is answered; only then may the port close.
    await ingest.stop();
    await listener.stop(grpcGraceMs);
  });
  const port = await listener.start();
  listener.setServing(true);
  logger.info({ port }, 'gRPC is served');
}
