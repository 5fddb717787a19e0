/**
 * The service as a process of its own: over MongoDB, called by the other three. It waits for none of them: what it has to tell
 * waits until event-ingest is there. From top to bottom, released in reverse.
 */
import { createAllowList } from '@posthorn/models';
import { connectMongo, mongoSettingsOf } from '@posthorn/mongo';
import {
  createRpcServer,
  createServiceAuthentication,
  openOperationalPublisher,
  openTransportSecurity,
  rpcServerSettingsOf,
  transportSecurityOf,
} from '@posthorn/rpc';
import { createTargetResolver, systemRandom, type ProcessContext } from '@posthorn/runtime';
import type { ConfigServiceConfig } from './config.ts';
import { createConfigService } from './service.ts';
import { createMongoConfigStores } from './stores/stores.mongo.ts';

/** How long calls under way may take once nothing new is taken; what is longer than a caller waits helps nobody. */
const grpcGraceMs = 10_000;
/** How long event-ingest may take for what is still to be told at the end. */
const tellGraceMs = 1_000;

/** Resolves when the service takes calls. */
export async function run(config: ConfigServiceConfig, context: ProcessContext): Promise<void> {
  const { logger, metrics, clock, lifecycle, readiness } = context;
  const security = openTransportSecurity({
    service: 'config',
    settings: transportSecurityOf(config),
    clock,
    logger,
    metrics,
  });
  lifecycle.defer('certificates', () => security.close());

  const operational = await openOperationalPublisher({
    service: 'config',
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

  const stores = await readiness.waitFor('MongoDB', () => createMongoConfigStores(database));
  const allow = createAllowList(config.allowTargets);
  const service = createConfigService({
    stores,
    encryptionKeys: config.encryptionKeys,
    urlPolicy: { requireHttps: config.requireHttps, allow },
    targetResolver: createTargetResolver({ allow, clock, dnsServers: config.dnsServers }),
    publishOperational: (event) => operational.publish(event),
    auditDays: config.auditDays,
    standardEndpoints: config.limitEndpoints,
    clock,
    random: systemRandom,
    logger,
  });
  await readiness.waitFor('MongoDB', () => service.start());
  lifecycle.defer('config', () => service.stop());
  await readiness.waitFor('MongoDB', () => service.ensureOperatorKey({ configured: config.operatorKey }));

  const server = createRpcServer({
    services: service.services,
    authenticate: createServiceAuthentication({
      security,
      callers: ['gateway', 'event-ingest', 'dispatcher'],
      clock,
      logger,
    }),
    security,
    ...rpcServerSettingsOf(config),
    clock,
    logger,
    metrics,
  });
  const port = await server.start();
  lifecycle.defer('gRPC', () => server.stop(grpcGraceMs));
  server.setServing(true);
  logger.info({ port }, 'gRPC is served');
}
