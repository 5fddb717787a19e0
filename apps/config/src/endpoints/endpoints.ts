import {
  configV1,
  dialectFromMessage,
  dialectTable,
  endpointStateTable,
  endpointToMessage,
  fieldMaskFromMessage,
  secretToMessage,
} from '@posthorn/contracts';
import {
  DomainError,
  newId,
  type Dialect,
  type Endpoint,
  type EndpointSettings,
  type Secret,
  type UrlPolicy,
} from '@posthorn/models';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Random } from '@posthorn/runtime';
import { publicKeyOf } from '@posthorn/signing';
import { requireKnownOrganisation } from '../authority.ts';
import { changeEndpoint, deleteEndpoint, findEndpoint } from './endpoint-change.ts';
import { createEndpointChecks } from './endpoint-checks.ts';
import type { EndpointNotices } from './endpoint-notices.ts';
import { createEndpointSearch } from './endpoint-search.ts';
import { maskHeaders, type EndpointSecrets, type EndpointVault } from './endpoint-secrets.ts';
import { checkSize, editableFields, readNewSettings, unmaskHeaders } from './endpoint-settings.ts';
import { checkReason, stateFrom, stateOf } from './endpoint-state.ts';
import type { StoredEndpoint } from './endpoint-store.ts';
import { createEndpointUpdate } from './endpoint-update.ts';
import {
  createVerificationHandlers,
  createVerificationRounds,
  readPassedBefore,
} from './endpoint-verification.ts';
import { numberCursor, readPage } from '../page.ts';
import {
  checkGivenSecret,
  checkRotation,
  completeSecrets,
  defaultOverlapOf,
  liveSecrets,
  rotateSecrets,
  secretSchemesOf,
  type Rotation,
  type SecretSource,
} from '../secrets/signing-secrets.ts';
import type { ConfigStores } from '../stores/stores.ts';
import type { TargetCheck } from './target-check.ts';
import type { VerificationCodes } from './verification-codes.ts';
import { refuseIfAny } from '../violations.ts';

/**
 * EndpointService, for the endpoints of every dialect. All violations of a request are reported at once; header values are masked in
 * every answer. `version` counts what the owner wrote: when one of our own services pauses or disables an endpoint, or its
 * verification goes on, it stays what it is.
 */
export interface EndpointsDependencies {
  readonly stores: ConfigStores;
  readonly vault: EndpointVault;
  readonly codes: VerificationCodes;
  readonly urlPolicy: UrlPolicy;
  readonly checkTarget: TargetCheck;
  readonly notices: EndpointNotices;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxPerOrganisation: number;
  /** How many there may be of an organisation that has no limit of its own. */
  readonly standardPerOrganisation: number;
}

export function createEndpointService({
  stores: { organisations, endpoints, policies },
  vault,
  codes,
  urlPolicy,
  checkTarget,
  notices,
  clock,
  random,
  maxPerOrganisation,
  standardPerOrganisation,
}: EndpointsDependencies): ServiceRegistration<typeof configV1.EndpointServiceService> {
  const randomBytes = (length: number): Uint8Array => random.bytes(length);
  const secretSource = (dialect: Dialect, now: Date): SecretSource => ({ dialect, now, randomBytes });
  const rounds = createVerificationRounds({ clock, random });
  const checks = createEndpointChecks({ policies, urlPolicy, checkTarget });

  function withSecrets(
    stored: StoredEndpoint,
    changes: Partial<Endpoint>,
    secrets: EndpointSecrets,
  ): StoredEndpoint {
    const endpoint = { ...stored.endpoint, ...changes, headers: maskHeaders(secrets.headers) };
    return { ...stored, endpoint, sealed: vault.seal(endpoint, secrets) };
  }

  function liveSecretsOf(stored: StoredEndpoint): configV1.Secret[] {
    const live = liveSecrets(
      vault.open(stored).secrets,
      secretSchemesOf(stored.endpoint),
      new Date(clock.now()),
    );
    return live.map(toSecretMessage);
  }

  return defineService(configV1.EndpointServiceService, {
    ...createVerificationHandlers({ endpoints, codes, rounds, clock }),
    searchEndpoints: createEndpointSearch({ endpoints, secretsOf: liveSecretsOf }),

    async createEndpoint({ endpoint: message, secret, given: mask }, { principal }) {
      const organisationId = message?.organisationId ?? '';
      const organisation = await requireKnownOrganisation(organisations, principal, organisationId);
      const dialect = dialectFromMessage(message?.dialect ?? 0);
      const read = readNewSettings(message, dialect, fieldMaskFromMessage(mask ?? [], editableFields));
      const { headers, violations } = unmaskHeaders(read.settings.headers, {});
      const state = stateFrom(message?.state ?? 0) ?? stateOf('enabled');
      const passedBefore = readPassedBefore(message, dialect, principal);
      const tied = await checks.findPolicy(organisationId, read.settings.policyId);
      const settings: EndpointSettings = { ...read.settings, headers, policyId: tied.policyId };
      const schemes = secretSchemesOf({ dialect, signing: settings.signing });
      const secretViolations = secret === undefined ? [] : checkGivenSecret(secret, schemes);
      await checks.refuseUnlessValid(settings, { organisationId, dialect }, [
        ...read.violations,
        ...violations,
        ...secretViolations,
        ...tied.violations,
        ...passedBefore.violations,
        ...checkSize(settings),
      ]);

      const nowMs = clock.now();
      const now = new Date(nowMs);
      const owner = { id: newId(nowMs, randomBytes), organisationId };
      const secrets = completeSecrets([], schemes, secretSource(dialect, now), secret ?? null);
      const made = await endpoints.insert(
        {
          endpoint: {
            ...settings,
            ...owner,
            ...(passedBefore.state ?? rounds.open(dialect)),
            dialect,
            headers: maskHeaders(headers),
            ...state,
            version: 1,
            createdAt: now,
            updatedAt: now,
          },
          sealed: vault.seal(owner, { headers, secrets }),
        },
        Math.min(organisation.limits.endpoints ?? standardPerOrganisation, maxPerOrganisation),
      );
      notices.created(made, principal);
      return { endpoint: endpointToMessage(made.endpoint), secrets: secrets.map(toSecretMessage) };
    },

    async getEndpoint(request, { principal }) {
      const stored = await findEndpoint(endpoints, { ...request, principal });
      const secrets = request.includeSecrets === true ? liveSecretsOf(stored) : [];
      return { endpoint: endpointToMessage(stored.endpoint), secrets };
    },

    async listEndpoints(request, { principal }) {
      const { organisationId } = request;
      await requireKnownOrganisation(organisations, principal, organisationId);
      const state = request.state === 0 ? null : endpointStateTable.fromMessage(request.state, '?state');
      const dialect =
        request.dialect === undefined ? null : dialectTable.fromMessage(request.dialect, '?dialect');
      const { items, nextCursor } = await readPage(request, numberCursor, {
        load: (limit, beforeNumber) =>
          endpoints.list({ organisationId, limit, beforeNumber, state, dialect }),
        positionOf: ({ endpoint }) => endpoint.number,
      });
      return { endpoints: items.map(({ endpoint }) => endpointToMessage(endpoint)), nextCursor };
    },

    updateEndpoint: createEndpointUpdate({
      endpoints,
      vault,
      checks,
      rounds,
      clock,
      secretSource,
      secretsOf: liveSecretsOf,
      notices,
    }),

    async deleteEndpoint(request, { principal }) {
      const last = await deleteEndpoint(endpoints, { ...request, principal });
      notices.deleted(last, principal, new Date(clock.now()));
      return {};
    },

    async setEndpointState(request, { principal }) {
      const change = { ...request, principal, onWritten: notices.changed };
      const stored = await changeEndpoint(endpoints, change, (present) => {
        const state = endpointStateTable.fromMessage(request.state, '/state');
        refuseIfAny(checkReason(request.reason));
        const { endpoint } = present;
        if (endpoint.state === state) return present;
        const version = principal.kind === 'service' ? endpoint.version : endpoint.version + 1;
        const updatedAt = new Date(clock.now());
        return {
          ...present,
          endpoint: { ...endpoint, ...stateOf(state, request.reason || 'manual'), version, updatedAt },
        };
      });
      return { endpoint: endpointToMessage(stored.endpoint) };
    },

    async listSecrets(request, { principal }) {
      const stored = await findEndpoint(endpoints, { ...request, principal });
      return { secrets: liveSecretsOf(stored) };
    },

    async rotateSecret(request, { principal }) {
      const now = new Date(clock.now());
      const change = { ...request, principal, onWritten: notices.changed };
      const stored = await changeEndpoint(endpoints, change, (present) => {
        const { endpoint } = present;
        const schemes = secretSchemesOf(endpoint);
        if (schemes.length === 0) {
          const message = `Endpoints of the dialect ${endpoint.dialect} have no secret: their policy signs.`;
          throw new DomainError('failed_precondition', message);
        }
        const { overlapMs } = request;
        const rotation: Rotation = {
          given: request.secret ?? null,
          overlapMs: overlapMs === undefined ? defaultOverlapOf(endpoint.dialect) : Number(overlapMs),
        };
        const { headers, secrets } = vault.open(present);
        refuseIfAny(checkRotation(rotation, secrets, endpoint));
        const rotated = rotateSecrets(secrets, schemes, rotation, secretSource(endpoint.dialect, now));
        const changes = { version: endpoint.version + 1, updatedAt: now };
        return withSecrets(present, changes, { headers, secrets: rotated });
      });
      return { secrets: liveSecretsOf(stored) };
    },
  });
}

function toSecretMessage(secret: Secret): configV1.Secret {
  return secretToMessage(secret, secret.scheme === 'v1a' ? publicKeyOf(secret.secret) : undefined);
}
