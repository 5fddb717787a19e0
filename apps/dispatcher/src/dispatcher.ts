import type { configV1, dispatchV1 } from '@posthorn/contracts';
import type { EventLogReader } from '@posthorn/event-log';
import type { Branding, OperationalEvent } from '@posthorn/models';
import type { AuditLog, Client, ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import type { IntakeLimits } from './intake/backpressure.ts';
import type { createExpiry } from './retention/expiry.ts';
import type { LaneLimits } from './lanes/lane-limits.ts';
import type { DispatcherStores } from './stores.ts';
import type { WebhookClient } from './webhook-client.ts';

/** The dispatcher: reads the log, plans, delivers, records, and answers what became of it. */
export interface Dispatcher {
  readonly events: ServiceRegistration<typeof dispatchV1.EventServiceService>;
  readonly deliveries: ServiceRegistration<typeof dispatchV1.DeliveryServiceService>;
  readonly activity: ServiceRegistration<typeof dispatchV1.EndpointActivityServiceService>;
  readonly tasks: ServiceRegistration<typeof dispatchV1.TaskServiceService>;
  readonly replays: ServiceRegistration<typeof dispatchV1.ReplayServiceService>;
  readonly erasures: ServiceRegistration<typeof dispatchV1.ErasureServiceService>;
  start(): Promise<void>;
  /** Stops reading and starting, lets what is under way end (until `signal` aborts), and puts the rest on record. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface DispatcherOptions extends DispatcherStores {
  readonly log: EventLogReader;
  /** What the stores go by, where the database removes by itself what has expired. */
  readonly expiry?: ReturnType<typeof createExpiry>;
  readonly clients: {
    readonly directory: Client<typeof configV1.DirectoryServiceService>;
    readonly endpoints: Client<typeof configV1.EndpointServiceService>;
  };
  /** Where it is put on record what callers do; nowhere when absent. */
  readonly auditLog?: AuditLog;
  /** Where operational events go; none are told when absent. */
  readonly publishOperational?: (event: OperationalEvent) => void;
  readonly webhookClient: WebhookClient;
  /** A native endpoint that has failed for so long is disabled; 0: never, which is the default. */
  readonly disableAfterMs?: number;
  /** What every link of ours begins with, without a slash at its end. */
  readonly publicUrl: () => string;
  /** What messages for people are signed with where an organisation has no branding of its own. */
  readonly branding?: Branding;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly laneLimits?: LaneLimits;
  readonly intakeLimits?: IntakeLimits;
  /** How long a lease lasts that isn't renewed; the same for all dispatchers. */
  readonly leaseTermMs?: number;
}
