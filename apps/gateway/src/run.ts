/**
 * The gateway as a process of its own. It waits for nobody: while another service is away its routes answer 503, and it is
 * ready all the same. From top to bottom, released in reverse.
 */
import { configV1, dispatchV1, ingestV1 } from '@posthorn/contracts';
import { openServiceClients, openTransportSecurity, transportSecurityOf } from '@posthorn/rpc';
import { systemRandom, type ProcessContext } from '@posthorn/runtime';
import { gatewayConfigOf, type GatewayValues } from './config.ts';
import { createGateway } from './gateway.ts';
import { version } from './version.ts';

/** Kept of the stop timeout for what is released after the last answer. */
const stopMarginMs = 1_000;

/** Resolves when requests are taken. */
export async function run(values: GatewayValues, context: ProcessContext): Promise<void> {
  const { logger, metrics, clock, lifecycle } = context;
  const security = openTransportSecurity({
    service: 'gateway',
    settings: transportSecurityOf(values),
    clock,
    logger,
    metrics,
  });
  lifecycle.defer('certificates', () => security.close());

  const config = await openServiceClients({ service: 'config', address: values.configAddress, security });
  lifecycle.defer('clients of config', () => config.close());
  const ingest = await openServiceClients({
    service: 'event-ingest',
    address: values.ingestAddress,
    security,
  });
  lifecycle.defer('clients of event-ingest', () => ingest.close());
  const dispatcher = await openServiceClients({
    service: 'dispatcher',
    address: values.dispatcherAddress,
    security,
  });
  lifecycle.defer('clients of dispatcher', () => dispatcher.close());

  const gateway = createGateway({
    clients: {
      organisations: config.of(configV1.OrganisationServiceService),
      keys: config.of(configV1.KeyServiceService),
      eventTypes: config.of(configV1.EventTypeServiceService),
      endpoints: config.of(configV1.EndpointServiceService),
      policies: config.of(configV1.PolicyServiceService),
      audit: config.of(configV1.AuditServiceService),
      idempotency: config.of(configV1.IdempotencyServiceService),
      encryption: config.of(configV1.EncryptionServiceService),
      ingest: ingest.of(ingestV1.IngestServiceService),
      events: dispatcher.of(dispatchV1.EventServiceService),
      deliveries: dispatcher.of(dispatchV1.DeliveryServiceService),
      activity: dispatcher.of(dispatchV1.EndpointActivityServiceService),
      tasks: dispatcher.of(dispatchV1.TaskServiceService),
      replays: dispatcher.of(dispatchV1.ReplayServiceService),
      erasures: dispatcher.of(dispatchV1.ErasureServiceService),
    },
    config: gatewayConfigOf(values, version),
    clock,
    random: systemRandom,
    logger,
    metrics,
  });
  lifecycle.defer('REST API', () => gateway.stop(values.stopTimeoutMs - stopMarginMs));
  const address = await gateway.start();
  logger.info({ address }, 'the REST API is served');
}
