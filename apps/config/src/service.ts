import type { OperationalEvent, UrlPolicy } from '@posthorn/models';
import type { configV1 } from '@posthorn/contracts';
import { createAuditing, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Logger, Random, TargetResolver } from '@posthorn/runtime';
import { createAuditService } from './audit/audit.ts';
import {
  encryptionRules,
  endpointRules,
  eventTypeRules,
  keyRules,
  organisationRules,
  policyRules,
} from './audit-rules.ts';
import { createDirectoryService } from './directory/directory.ts';
import { createEncryptionService } from './secrets/encryption-rpc.ts';
import { createEndpointNotices } from './endpoints/endpoint-notices.ts';
import { createEndpointVault } from './endpoints/endpoint-secrets.ts';
import { createEndpointService } from './endpoints/endpoints.ts';
import { createEventTypeService } from './event-types/event-types.ts';
import { createIdempotencyService } from './idempotency/idempotency.ts';
import { createKeyRotation, requireAllKeys } from './secrets/key-rotation.ts';
import { createKeyUsage } from './keys/key-usage.ts';
import { createKeyring, type KeyFile } from './secrets/keyring.ts';
import { createKeyService } from './keys/keys.ts';
import { defaultLimits, type ConfigLimits } from './organisations/limits.ts';
import { createOpenCalls } from './open-calls.ts';
import { ensureOperatorKey } from './keys/operator-key.ts';
import { createOrganisationService } from './organisations/organisations.ts';
import { createPolicyService } from './policies/policies.ts';
import { createPolicyVault } from './policies/policy-keys.ts';
import { createSecretBox } from './secrets/secret-box.ts';
import type { ConfigStores } from './stores/stores.ts';
import { createSweeper } from './sweeper.ts';
import { createTargetCheck } from './endpoints/target-check.ts';
import { createVerificationCodes } from './endpoints/verification-codes.ts';

/** What the config service is made of; see `createConfigService`. */
export interface ConfigServiceOptions {
  readonly stores: ConfigStores;
  /** 32 bytes each: the first seals what is secret, all open it. */
  readonly encryptionKeys: readonly Uint8Array[];
  /** Where these keys are kept, if that is up to us: then they can be rotated by a call. Given from outside when absent. */
  readonly encryptionKeyFile?: KeyFile | undefined;
  readonly urlPolicy: UrlPolicy;
  readonly targetResolver: Pick<TargetResolver, 'resolve'>;
  /** Where operational events go; what becomes of endpoints isn't told when absent. */
  readonly publishOperational?: (event: OperationalEvent) => void;
  /** How long the audit log is kept; a year when absent. */
  readonly auditDays?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits?: Partial<ConfigLimits>;
  /** Endpoints of an organisation that has no limit of its own; `limits.endpoints` when null or absent. */
  readonly standardEndpoints?: number | null;
}

/** Owner of organisations, API keys, event types, endpoints and policies. */
export interface ConfigService {
  readonly organisations: ServiceRegistration<typeof configV1.OrganisationServiceService>;
  readonly keys: ServiceRegistration<typeof configV1.KeyServiceService>;
  readonly eventTypes: ServiceRegistration<typeof configV1.EventTypeServiceService>;
  readonly endpoints: ServiceRegistration<typeof configV1.EndpointServiceService>;
  readonly policies: ServiceRegistration<typeof configV1.PolicyServiceService>;
  readonly directory: ServiceRegistration<typeof configV1.DirectoryServiceService>;
  readonly idempotency: ServiceRegistration<typeof configV1.IdempotencyServiceService>;
  readonly encryption: ServiceRegistration<typeof configV1.EncryptionServiceService>;
  readonly audit: ServiceRegistration<typeof configV1.AuditServiceService>;
  /** All of the above, to be served. */
  readonly services: readonly ServiceRegistration[];
  /** See operator-key.ts; a token in the answer is to be shown once. */
  ensureOperatorKey(options: {
    readonly configured?: string | undefined;
  }): Promise<{ readonly token?: string }>;
  /** `failed_precondition` when anything that is stored was sealed with a key that isn't among `encryptionKeys`. */
  start(): Promise<void>;
  /** Resolves when what was under way in the background is on record. The stores may be closed then. */
  stop(): Promise<void>;
}

const dayMs = 24 * 60 * 60 * 1_000;
const standardAuditDays = 365;

/** Wires the service: nine RPC services over one set of stores. */
export function createConfigService(options: ConfigServiceOptions): ConfigService {
  const { stores, encryptionKeys, urlPolicy, targetResolver, clock, random, logger } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const randomBytes = (length: number): Uint8Array => random.bytes(length);
  const keyring = createKeyring(encryptionKeys, options.encryptionKeyFile);
  const box = createSecretBox(keyring, randomBytes);
  const vault = createEndpointVault(box);
  const policyVault = createPolicyVault(box);
  const codes = createVerificationCodes(keyring);
  const checkTarget = createTargetCheck({ policy: urlPolicy, resolver: targetResolver });
  const usage = createKeyUsage({ store: stores.keys, clock, logger });
  const sweepers = [
    createSweeper({ store: stores.idempotency, what: 'expired idempotency keys', clock, logger }),
    createSweeper({
      store: stores.audit,
      keepMs: (options.auditDays ?? standardAuditDays) * dayMs,
      what: 'old audit records',
      clock,
      logger,
    }),
  ];
  const audited = createAuditing({ log: stores.audit, clock, random, logger });

  const organisations = audited(createOrganisationService({ stores, clock, random }), organisationRules);
  const keys = audited(
    createKeyService({ stores, clock, random, usage, maxPerOrganisation: limits.keys }),
    keyRules,
  );
  const eventTypes = audited(
    createEventTypeService({ stores, clock, maxPerOrganisation: limits.eventTypes }),
    eventTypeRules,
  );
  const notices = createEndpointNotices({
    endpoints: stores.endpoints,
    publish: options.publishOperational,
  });
  const calls = createOpenCalls();
  const endpoints = audited(
    calls.track(
      createEndpointService({
        stores,
        vault,
        codes,
        urlPolicy,
        checkTarget,
        notices,
        clock,
        random,
        maxPerOrganisation: limits.endpoints,
        standardPerOrganisation: options.standardEndpoints ?? limits.endpoints,
      }),
    ),
    endpointRules,
  );
  const policies = audited(
    calls.track(
      createPolicyService({
        stores,
        vault: policyVault,
        clock,
        random,
        maxPerOrganisation: limits.policies,
      }),
    ),
    policyRules,
  );
  const directory = createDirectoryService({ stores, vault, policyVault, codes, clock });
  const audit = createAuditService(stores.audit);
  const idempotency = createIdempotencyService({ store: stores.idempotency, clock, random });
  const rotation = createKeyRotation({
    keyring,
    box,
    store: stores.sealed,
    randomBytes,
    logger,
    callsSettled: () => calls.settled(),
  });
  const encryption = audited(createEncryptionService(rotation), encryptionRules);

  return {
    organisations,
    keys,
    eventTypes,
    endpoints,
    policies,
    directory,
    idempotency,
    encryption,
    audit,
    services: [
      organisations,
      keys,
      eventTypes,
      endpoints,
      policies,
      directory,
      idempotency,
      encryption,
      audit,
    ],

    ensureOperatorKey: ({ configured }) =>
      ensureOperatorKey(configured, { store: stores.keys, clock, random }),

    async start() {
      requireAllKeys(await rotation.status());
      for (const sweeper of sweepers) sweeper.start();
    },

    async stop() {
      for (const sweeper of sweepers) await sweeper.stop();
      await notices.drain();
      await usage.drain();
    },
  };
}
