import { type configV1, endpointToMessage, fieldMaskFromMessage } from '@posthorn/contracts';
import type { Endpoint, EndpointSettings, Secret, Violation } from '@posthorn/models';
import type { Handlers } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import { changeEndpoint } from './endpoint-change.ts';
import type { EndpointChecks } from './endpoint-checks.ts';
import { maskHeaders, type EndpointVault } from './endpoint-secrets.ts';
import type { EndpointNotices } from './endpoint-notices.ts';
import { checkSize, editableFields, readChanges, unmaskHeaders, type Headers } from './endpoint-settings.ts';
import { stateFrom, type StateWithReason } from './endpoint-state.ts';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';
import { isVerified, requireVerified, type VerificationRounds } from './endpoint-verification.ts';
import {
  checkGivenSecret,
  completeSecrets,
  rotateSecrets,
  secretSchemesOf,
  type SecretSource,
} from '../secrets/signing-secrets.ts';

/**
 * UpdateEndpoint: settings, state and secret in one write, and a new round of verification when the URL changes or the owner asks for
 * one. What stays as it is isn't judged again: rules that became stricter since don't stop other changes.
 */
export interface EndpointUpdateDependencies {
  readonly endpoints: EndpointStore;
  readonly vault: EndpointVault;
  readonly checks: EndpointChecks;
  readonly rounds: VerificationRounds;
  readonly clock: Clock;
  readonly secretSource: (dialect: Endpoint['dialect'], now: Date) => SecretSource;
  /** The secrets that sign now, as messages. */
  readonly secretsOf: (stored: StoredEndpoint) => configV1.Secret[];
  readonly notices: EndpointNotices;
}

type UpdateHandler = Handlers<typeof configV1.EndpointServiceService>['updateEndpoint'];

/** What a request asks for, read but not judged. */
interface Update {
  readonly settings: Partial<EndpointSettings>;
  readonly violations: readonly Violation[];
  readonly state: StateWithReason | null;
  readonly secret: string | null;
  readonly startsVerification: boolean;
  /** Whether anything is named that the owner writes; else nothing of that has changed. */
  readonly isWrite: boolean;
}

export function createEndpointUpdate(deps: EndpointUpdateDependencies): UpdateHandler {
  const { endpoints, vault, checks, rounds, clock, secretSource, secretsOf, notices } = deps;

  /** The settings as they will be, with the headers in the clear and the policy by its id; throws with all that is wrong with them. */
  async function judge(
    { settings, violations, secret }: Update,
    present: Endpoint,
    { headers: presentHeaders, secrets }: { readonly headers: Headers; readonly secrets: readonly Secret[] },
  ): Promise<{ readonly changes: Partial<EndpointSettings>; readonly headers: Headers }> {
    const unmasked = unmaskHeaders(settings.headers ?? {}, presentHeaders);
    const headers = settings.headers === undefined ? presentHeaders : unmasked.headers;
    const tied =
      settings.policyId === undefined || settings.policyId === present.policyId
        ? { policyId: present.policyId, violations: [] }
        : await checks.findPolicy(present.organisationId, settings.policyId);
    const changes = { ...settings, policyId: tied.policyId };
    const next = { ...present, ...changes };
    const { url, ...others } = { ...settings, ...(settings.headers && { headers }) };
    await checks.refuseUnlessValid(
      url === undefined || url === present.url ? others : { ...others, url },
      next,
      [
        ...violations,
        ...unmasked.violations,
        ...tied.violations,
        ...(secret === null || isCurrent(secret, secrets)
          ? []
          : checkGivenSecret(secret, secretSchemesOf(next))),
        ...checkSize({ ...next, headers }),
      ],
    );
    return { changes, headers };
  }

  async function nextOf(
    request: configV1.UpdateEndpointRequest,
    stored: StoredEndpoint,
  ): Promise<StoredEndpoint> {
    const present = stored.endpoint;
    const update = readUpdate(request, present);
    if (!update.isWrite && !update.startsVerification) return stored;

    const opened = vault.open(stored);
    const { changes, headers } = await judge(update, present, opened);
    const { state, secret, startsVerification, isWrite } = update;
    const now = new Date(clock.now());
    const source = secretSource(present.dialect, now);
    const schemes = secretSchemesOf({ ...present, ...changes });
    const completed = completeSecrets(opened.secrets, schemes, source);
    const secrets =
      secret === null || isCurrent(secret, opened.secrets)
        ? completed
        : rotateSecrets(completed, schemes, { given: secret, overlapMs: 0 }, source);
    const isMoved = changes.url !== undefined && changes.url !== present.url;
    const endpoint: Endpoint = {
      ...present,
      ...changes,
      headers: maskHeaders(headers),
      ...(state !== null && state.state !== present.state && state),
      ...(isWrite && { version: present.version + 1, updatedAt: now }),
      ...((startsVerification || (isMoved && isVerified(present.dialect))) && rounds.open(present.dialect)),
    };
    return { ...stored, endpoint, sealed: vault.seal(endpoint, { headers, secrets }) };
  }

  return async (request, { principal }) => {
    const change = { ...request, principal, onWritten: notices.changed };
    const stored = await changeEndpoint(endpoints, change, (present) => nextOf(request, present));
    return { endpoint: endpointToMessage(stored.endpoint), secrets: secretsOf(stored) };
  };
}

function readUpdate(request: configV1.UpdateEndpointRequest, { dialect }: Endpoint): Update {
  const named = fieldMaskFromMessage(request.updateMask, [...editableFields, 'state'] as const);
  const startsVerification = request.startVerification === true;
  if (startsVerification) requireVerified(dialect);
  const fields = named.filter((field) => field !== 'state');
  return {
    ...readChanges(request.endpoint, dialect, fields),
    state: named.includes('state') ? stateFrom(request.endpoint?.state ?? 0) : null,
    secret: request.secret ?? null,
    startsVerification,
    isWrite: named.length > 0 || request.secret !== undefined,
  };
}

function isCurrent(given: string, secrets: readonly Secret[]): boolean {
  return secrets.some(({ secret, expiresAt }) => secret === given && expiresAt === null);
}
