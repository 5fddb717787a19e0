/**
 * The service as a process of its own: it shares the partitions of the log with others of its kind. From top to bottom,
 * released in reverse.
 */
import { configV1 } from '@posthorn/contracts';
import { checkKafka, createKafkaEventLogReader, kafkaSettingsOf } from '@posthorn/event-log';
import { createAllowList, servicePrincipal } from '@posthorn/models';
import { connectMongo, mongoSettingsOf } from '@posthorn/mongo';
import {
  createRemoteAuditLog,
  createRpcServer,
  createServiceAuthentication,
  openOperationalPublisher,
  openServiceClients,
  openTransportSecurity,
  rpcServerSettingsOf,
  transportSecurityOf,
} from '@posthorn/rpc';
import { brandingOf, createTargetResolver, systemRandom, type ProcessContext } from '@posthorn/runtime';
import type { DispatcherConfig } from './config.ts';
import { createExpiry } from './retention/expiry.ts';
import { createDispatcher } from './service.ts';
import { createMongoDispatcherStores } from './stores.mongo.ts';
import { version } from './version.ts';
import { createWebhookClient } from './webhook-client.ts';

/** How long calls under way may take once nothing new is taken. */
const grpcGraceMs = 2_000;
/** Kept of the stop timeout for what is released after the last record. */
const stopMarginMs = 5_000;
/** How long event-ingest may take for what is still to be told at the end. */
const tellGraceMs = 1_000;
/** The service on its own behalf. */
const principal = servicePrincipal('dispatcher');
/** What links begin with where nobody said. */
const standardPublicUrl = 'http://127.0.0.1:8080';

/** Resolves when the service reads the log and takes calls. */
export async function run(config: DispatcherConfig, context: ProcessContext): Promise<void> {
  const { logger, metrics, clock, lifecycle, readiness } = context;
  const random = systemRandom;
  const security = openTransportSecurity({
    service: 'dispatcher',
    settings: transportSecurityOf(config),
    clock,
    logger,
    metrics,
  });
  lifecycle.defer('certificates', () => security.close());

  const clients = await openServiceClients({ service: 'config', address: config.configAddress, security });
  lifecycle.defer('clients of config', () => clients.close());
  const directory = clients.of(configV1.DirectoryServiceService);

  const operational = await openOperationalPublisher({
    service: 'dispatcher',
    ingestAddress: config.ingestAddress,
    security,
    clock,
    logger,
    metrics,
  });
  lifecycle.defer('operational events', () => operational.stop(tellGraceMs));

  const database = await readiness.waitFor('MongoDB', () =>
    connectMongo({ ...mongoSettingsOf(config), clock, logger, metrics }),
  );
  lifecycle.defer('MongoDB', () => database.close());
  const expiry = createExpiry();
  const stores = await readiness.waitFor('MongoDB', () => createMongoDispatcherStores(database, expiry));

  const kafka = kafkaSettingsOf(config, 'posthorn-dispatcher');
  const dispatcher = createDispatcher({
    ...stores,
    expiry,
    log: createKafkaEventLogReader({ ...kafka, groupId: config.kafkaGroup, clock, logger, metrics }),
    clients: { directory, endpoints: clients.of(configV1.EndpointServiceService) },
    auditLog: createRemoteAuditLog(clients.of(configV1.AuditServiceService), principal),
    publishOperational: (event) => operational.publish(event),
    disableAfterMs: config.disableAfterMs,
    webhookClient: createWebhookClient({
      resolver: createTargetResolver({
        allow: createAllowList(config.allowTargets),
        clock,
        dnsServers: config.dnsServers,
      }),
      clock,
      egressProxy: config.egressProxy,
      userAgent: `Posthorn/${version}`,
    }),
    publicUrl: () => config.publicUrl ?? standardPublicUrl,
    branding: brandingOf(config),
    clock,
    random,
    logger,
    metrics,
  });
  const server = createRpcServer({
    services: [
      dispatcher.events,
      dispatcher.deliveries,
      dispatcher.activity,
      dispatcher.tasks,
      dispatcher.replays,
      dispatcher.erasures,
    ],
    authenticate: createServiceAuthentication({ security, callers: ['gateway'], clock, logger }),
    security,
    ...rpcServerSettingsOf(config),
    clock,
    logger,
    metrics,
  });

  await readiness.waitFor('config', () => directory.listChanges({ sinceRevision: 0n }, { principal }));
  await readiness.waitFor('Kafka', () => checkKafka({ ...kafka, clock, logger }));
  lifecycle.defer('dispatcher', () =>
    dispatcher.stop(AbortSignal.timeout(Math.max(0, config.stopTimeoutMs - stopMarginMs))),
  );
  await dispatcher.start();
  const port = await server.start();
  // Released before the dispatcher stops: nobody asks for an attempt that would not be made.
  lifecycle.defer('gRPC', () => server.stop(grpcGraceMs));
  server.setServing(true);
  logger.info({ port }, 'gRPC is served');
}
