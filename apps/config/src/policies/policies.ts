import { configV1, fieldMaskFromMessage, policyAlgorithmTable, policyToMessage } from '@posthorn/contracts';
import {
  checkAlgorithmChange,
  checkPolicy,
  DomainError,
  newId,
  policyKeyTypes,
  type PolicyAlgorithm,
  type PolicySettings,
  type Violation,
} from '@posthorn/models';
import { defineService, requireOrganisation, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Random } from '@posthorn/runtime';
import { requireKnownOrganisation, requireService } from '../authority.ts';
import { numberCursor, readPage } from '../page.ts';
import { generatePolicyKey, readPolicyKey, type PolicyVault } from './policy-keys.ts';
import type { StoredPolicy } from './policy-store.ts';
import type { ConfigStores } from '../stores/stores.ts';
import { collecting, refuseIfAny } from '../violations.ts';

/**
 * PolicyService. A policy's key is made (or brought) once and kept sealed; a shared secret is shown in the answer to its creation and
 * nowhere else, and the type of the key never changes. There is nothing to delete: endpoints go on with the policy they are tied to.
 */
export interface PoliciesDependencies {
  readonly stores: ConfigStores;
  readonly vault: PolicyVault;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxPerOrganisation: number;
}

type Field = keyof PolicySettings;

const readers: { readonly [F in Field]: (message: configV1.Policy) => PolicySettings[F] } = {
  algorithm: ({ algorithm }) => policyAlgorithmTable.fromMessage(algorithm, '/algorithm'),
  audience: ({ audience }) => audience ?? null,
  expiresInMinutes: ({ expiresInMinutes }) => expiresInMinutes ?? null,
  disabled: ({ disabled }) => disabled,
};
const editable = Object.keys(readers) as readonly Field[];

const nameBytes = 28;
/** How often a write is tried again when somebody else wrote in between. */
const maxTries = 10;

export function createPolicyService({
  stores: { organisations, policies },
  vault,
  clock,
  random,
  maxPerOrganisation,
}: PoliciesDependencies): ServiceRegistration<typeof configV1.PolicyServiceService> {
  const randomBytes = (count: number): Uint8Array => random.bytes(count);

  async function find(organisationId: string, idOrNumber: string): Promise<StoredPolicy> {
    const stored = await policies.find(organisationId, readIdOrNumber(idOrNumber));
    if (stored === null) throw noSuchPolicy();
    return stored;
  }

  return defineService(configV1.PolicyServiceService, {
    async createPolicy({ policy: message, key: given }, { principal }) {
      const organisationId = message?.organisationId ?? '';
      await requireKnownOrganisation(organisations, principal, organisationId);
      const { settings, violations } = readSettings(message, editable);
      const name = message?.name || Buffer.from(randomBytes(nameBytes)).toString('hex');
      const type = settings.algorithm === undefined ? undefined : policyKeyTypes[settings.algorithm];
      const brought =
        given === undefined || type === undefined
          ? null
          : collecting(violations, () => readPolicyKey(type, given), null);
      refuseIfAny([...violations, ...checkPolicy({ ...settings, name })]);

      const whole = settings as PolicySettings;
      const { key, publicKeyPem } =
        brought ?? (await generatePolicyKey(policyKeyTypes[whole.algorithm], randomBytes));
      const nowMs = clock.now();
      const now = new Date(nowMs);
      const owner = { id: newId(nowMs, randomBytes), organisationId };
      const { policy } = await policies.insert(
        {
          policy: { ...owner, name, ...whole, publicKeyPem, createdAt: now, updatedAt: now },
          sealed: vault.seal(owner, key),
        },
        maxPerOrganisation,
      );
      const isShared = policyKeyTypes[policy.algorithm] === 'secret';
      return { policy: policyToMessage(policy), sharedSecret: isShared ? (key ?? undefined) : undefined };
    },

    async getPolicy({ organisationId, idOrNumber }, { principal }) {
      requireOrganisation(principal, organisationId);
      return { policy: policyToMessage((await find(organisationId, idOrNumber)).policy) };
    },

    async listPolicies(request, { principal }) {
      const { organisationId } = request;
      await requireKnownOrganisation(organisations, principal, organisationId);
      if (request.limit === 0 && request.cursor === '') {
        const all = await policies.list({ organisationId, limit: maxPerOrganisation, beforeNumber: null });
        return { policies: all.map(({ policy }) => policyToMessage(policy)), nextCursor: '' };
      }
      const { items, nextCursor } = await readPage(request, numberCursor, {
        load: (limit, beforeNumber) => policies.list({ organisationId, limit, beforeNumber }),
        positionOf: ({ policy }) => policy.number,
      });
      return { policies: items.map(({ policy }) => policyToMessage(policy)), nextCursor };
    },

    async updatePolicy({ organisationId, idOrNumber, policy: message, updateMask }, { principal }) {
      requireOrganisation(principal, organisationId);
      for (let tries = 0; tries < maxTries; tries++) {
        const present = await find(organisationId, idOrNumber);
        const fields = fieldMaskFromMessage(updateMask, editable);
        if (fields.length === 0) return { policy: policyToMessage(present.policy) };
        const { settings, violations } = readSettings(message, fields);
        const others = settings.algorithm === undefined ? [] : checkChange(present, settings.algorithm);
        refuseIfAny([...violations, ...checkPolicy(settings), ...others]);
        const policy = { ...present.policy, ...settings, updatedAt: new Date(clock.now()) };
        const written = await policies.replace({ ...present, policy });
        if (written !== null) return { policy: policyToMessage(written.policy) };
      }
      throw new DomainError('unavailable', 'The policy is being changed by many at once; try again.');
    },

    async getPublicKey({ name }, { principal }) {
      requireService(principal);
      const stored = await policies.findByName(name);
      if (stored === null || stored.policy.publicKeyPem === null) throw noSuchPolicy();
      const { algorithm, publicKeyPem } = stored.policy;
      return { algorithm: policyAlgorithmTable.toMessage(algorithm), publicKeyPem };
    },
  });
}

/** How callers name a policy: a number in digits, or an id. */
export function readIdOrNumber(idOrNumber: string): string | number {
  return /^\d{1,15}$/.test(idOrNumber) ? Number(idOrNumber) : idOrNumber;
}

function readSettings(
  message: configV1.Policy | undefined,
  fields: readonly Field[],
): { readonly settings: Partial<PolicySettings>; readonly violations: Violation[] } {
  const violations: Violation[] = [];
  if (message === undefined) {
    violations.push({ field: '/policy', code: 'required', message: 'This must be given.' });
    return { settings: {}, violations };
  }
  const entries = fields.flatMap((field) =>
    collecting<[Field, unknown][]>(violations, () => [[field, readers[field](message)]], []),
  );
  return { settings: Object.fromEntries(entries), violations };
}

function checkChange({ policy }: StoredPolicy, algorithm: PolicyAlgorithm): readonly Violation[] {
  return checkAlgorithmChange(policy.algorithm, algorithm);
}

function noSuchPolicy(): DomainError {
  return new DomainError('not_found', 'There is no such policy.');
}
