import {
  configV1,
  endpointStateTable,
  endpointToMessage,
  fieldMaskFromMessage,
  secretToMessage,
} from '@posthorn/contracts';
import {
  checkEndpoint,
  DomainError,
  newId,
  type Endpoint,
  type EndpointSettings,
  type Secret,
  type UrlPolicy,
  type Violation,
} from '@posthorn/models';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Random } from '@posthorn/runtime';
import { publicKeyOf } from '@posthorn/signing';
import { requireKnownOrganisation } from './authority.ts';
import { changeEndpoint, deleteEndpoint, findEndpoint } from './endpoint-change.ts';
import { maskHeaders, type EndpointSecrets, type EndpointVault } from './endpoint-secrets.ts';
import {
  checkSize,
  editableFields,
  readChanges,
  readNewSettings,
  unmaskHeaders,
} from './endpoint-settings.ts';
import type { StoredEndpoint } from './endpoint-store.ts';
import { numberCursor, readPage } from './page.ts';
import {
  checkGivenSecret,
  checkRotation,
  completeSecrets,
  defaultOverlapMs,
  liveSecrets,
  rotateSecrets,
  type Rotation,
  type SecretSource,
} from './signing-secrets.ts';
import type { ConfigStores } from './stores.ts';
import type { TargetCheck } from './target-check.ts';
import { refuseIfAny } from './violations.ts';

/**
 * EndpointService. All violations of a request are reported at once; header values are masked in every answer. `version`
 * counts what the owner wrote: when one of our own services pauses or disables an endpoint, it stays what it is.
 */
export interface EndpointsDependencies {
  readonly stores: ConfigStores;
  readonly vault: EndpointVault;
  readonly urlPolicy: UrlPolicy;
  readonly checkTarget: TargetCheck;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxPerOrganisation: number;
}

const maxReasonLength = 200;

export function createEndpointService({
  stores: { organisations, endpoints },
  vault,
  urlPolicy,
  checkTarget,
  clock,
  random,
  maxPerOrganisation,
}: EndpointsDependencies): ServiceRegistration<typeof configV1.EndpointServiceService> {
  const randomBytes = (length: number): Uint8Array => random.bytes(length);
  const secretSource = (now: Date): SecretSource => ({ now, randomBytes });

  async function refuseUnlessValid(
    settings: Partial<EndpointSettings>,
    organisationId: string,
    others: readonly Violation[],
  ): Promise<void> {
    const target = settings.url === undefined ? [] : await checkTarget(settings.url, organisationId);
    refuseIfAny([...others, ...checkEndpoint(settings, urlPolicy), ...target]);
  }

  function withSecrets(
    stored: StoredEndpoint,
    changes: Partial<Endpoint>,
    secrets: EndpointSecrets,
  ): StoredEndpoint {
    const endpoint = { ...stored.endpoint, ...changes, headers: maskHeaders(secrets.headers) };
    return { ...stored, endpoint, sealed: vault.seal(endpoint, secrets) };
  }

  return defineService(configV1.EndpointServiceService, {
    async createEndpoint({ endpoint: message, secret, given: mask }, { principal }) {
      const organisationId = message?.organisationId ?? '';
      await requireKnownOrganisation(organisations, principal, organisationId);
      const read = readNewSettings(message, fieldMaskFromMessage(mask ?? [], editableFields));
      const { headers, violations } = unmaskHeaders(read.settings.headers, {});
      const settings: EndpointSettings = { ...read.settings, headers };
      const secretViolations = secret === undefined ? [] : checkGivenSecret(secret, settings.signing);
      await refuseUnlessValid(settings, organisationId, [
        ...read.violations,
        ...violations,
        ...secretViolations,
        ...checkSize(settings),
      ]);

      const nowMs = clock.now();
      const now = new Date(nowMs);
      const owner = { id: newId(nowMs, randomBytes), organisationId };
      const secrets = completeSecrets([], settings.signing, secretSource(now), secret ?? null);
      const { endpoint } = await endpoints.insert(
        {
          endpoint: {
            ...settings,
            ...owner,
            dialect: 'standard',
            headers: maskHeaders(headers),
            verification: 'none',
            verificationId: null,
            verificationExpiresAt: null,
            state: 'enabled',
            stateReason: null,
            version: 1,
            createdAt: now,
            updatedAt: now,
          },
          sealed: vault.seal(owner, { headers, secrets }),
        },
        maxPerOrganisation,
      );
      return { endpoint: endpointToMessage(endpoint), secrets: secrets.map(toSecretMessage) };
    },

    async getEndpoint(request, { principal }) {
      const { endpoint } = await findEndpoint(endpoints, { ...request, principal });
      return { endpoint: endpointToMessage(endpoint), secrets: [] };
    },

    async listEndpoints(request, { principal }) {
      const { organisationId } = request;
      await requireKnownOrganisation(organisations, principal, organisationId);
      const state = request.state === 0 ? null : endpointStateTable.fromMessage(request.state, '?state');
      const { items, nextCursor } = await readPage(request, numberCursor, {
        load: (limit, beforeNumber) =>
          endpoints.list({ organisationId, limit, beforeNumber, state, dialect: null }),
        positionOf: ({ endpoint }) => endpoint.number,
      });
      return { endpoints: items.map(({ endpoint }) => endpointToMessage(endpoint)), nextCursor };
    },

    async updateEndpoint(request, { principal }) {
      const target = { ...request, principal };
      const stored = await changeEndpoint(endpoints, target, async (present) => {
        const fields = fieldMaskFromMessage(request.updateMask, editableFields);
        // Nothing was written, so nothing of what the owner wrote has changed.
        if (fields.length === 0) return present;
        const { settings, violations } = readChanges(request.endpoint, fields);
        const opened = vault.open(present);
        const unmasked =
          settings.headers === undefined
            ? { headers: opened.headers, violations: [] }
            : unmaskHeaders(settings.headers, opened.headers);
        const { headers } = unmasked;
        const next: Endpoint = { ...present.endpoint, ...settings };
        // What stays as it is isn't judged again: rules that became stricter since don't stop other changes.
        const { url, ...others } = { ...settings, ...(settings.headers && { headers }) };
        await refuseUnlessValid(
          url === undefined || url === present.endpoint.url ? others : { ...others, url },
          present.endpoint.organisationId,
          [...violations, ...unmasked.violations, ...checkSize({ ...next, headers })],
        );
        const now = new Date(clock.now());
        const secrets = completeSecrets(opened.secrets, next.signing, secretSource(now));
        return withSecrets(
          present,
          { ...settings, version: next.version + 1, updatedAt: now },
          { headers, secrets },
        );
      });
      return { endpoint: endpointToMessage(stored.endpoint), secrets: [] };
    },

    async deleteEndpoint(request, { principal }) {
      await deleteEndpoint(endpoints, { ...request, principal });
      return {};
    },

    async setEndpointState(request, { principal }) {
      const stored = await changeEndpoint(endpoints, { ...request, principal }, (present) => {
        const state = endpointStateTable.fromMessage(request.state, '/state');
        refuseIfAny(checkReason(request.reason));
        const { endpoint } = present;
        if (endpoint.state === state) return present;
        const stateReason = state === 'enabled' ? null : request.reason || 'manual';
        const version = principal.kind === 'service' ? endpoint.version : endpoint.version + 1;
        const updatedAt = new Date(clock.now());
        return { ...present, endpoint: { ...endpoint, state, stateReason, version, updatedAt } };
      });
      return { endpoint: endpointToMessage(stored.endpoint) };
    },

    async listSecrets(request, { principal }) {
      const stored = await findEndpoint(endpoints, { ...request, principal });
      const { secrets } = vault.open(stored);
      const live = liveSecrets(secrets, stored.endpoint.signing, new Date(clock.now()));
      return { secrets: live.map(toSecretMessage) };
    },

    async rotateSecret(request, { principal }) {
      const rotation: Rotation = {
        given: request.secret ?? null,
        overlapMs: request.overlapMs === undefined ? defaultOverlapMs : Number(request.overlapMs),
      };
      const now = new Date(clock.now());
      const stored = await changeEndpoint(endpoints, { ...request, principal }, (present) => {
        const { endpoint } = present;
        const { headers, secrets } = vault.open(present);
        refuseIfAny(checkRotation(rotation, secrets, endpoint.signing));
        const rotated = rotateSecrets(secrets, endpoint.signing, rotation, secretSource(now));
        const changes = { version: endpoint.version + 1, updatedAt: now };
        return withSecrets(present, changes, { headers, secrets: rotated });
      });
      const live = liveSecrets(vault.open(stored).secrets, stored.endpoint.signing, now);
      return { secrets: live.map(toSecretMessage) };
    },

    startVerification: () => Promise.reject(notYet()),
    completeVerification: () => Promise.reject(notYet()),
    confirmVerification: () => Promise.reject(notYet()),
    searchEndpoints: () => Promise.reject(notYet()),
  });
}

function notYet(): DomainError {
  return new DomainError('unavailable', 'Not there yet.');
}

function checkReason(reason: string): readonly Violation[] {
  if (reason.length <= maxReasonLength) return [];
  const message = `At most ${maxReasonLength} characters are allowed.`;
  return [{ field: '/reason', code: 'too_long', message }];
}

function toSecretMessage(secret: Secret): configV1.Secret {
  return secretToMessage(secret, secret.scheme === 'v1a' ? publicKeyOf(secret.secret) : undefined);
}
