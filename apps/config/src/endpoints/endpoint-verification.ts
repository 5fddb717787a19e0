import { configV1, endpointToMessage } from '@posthorn/contracts';
import {
  dialectRules,
  DomainError,
  newId,
  verificationCallbackMs,
  type Dialect,
  type Endpoint,
  type Principal,
  type Violation,
} from '@posthorn/models';
import type { Handlers } from '@posthorn/rpc';
import type { Clock, Random } from '@posthorn/runtime';
import { requireService } from '../authority.ts';
import { changeEndpoint } from './endpoint-change.ts';
import type { EndpointStore } from './endpoint-store.ts';
import type { VerificationCodes } from './verification-codes.ts';

const { Verification } = configV1;

/**
 * Whether an endpoint's receiver has shown that it is one. A round is opened when an endpoint of such a dialect is made, when its URL
 * changes and when its owner asks for it: the endpoint is `pending` under a new id until that round is closed, by the outcome of a test
 * or by a call of the callback. A round that another one has replaced can't be closed any more. None of this is what the owner wrote:
 * the version stays what it is.
 */
export type VerificationState = Pick<Endpoint, 'verification' | 'verificationId' | 'verificationExpiresAt'>;

const unverified: VerificationState = {
  verification: 'none',
  verificationId: null,
  verificationExpiresAt: null,
};

const passedBefore: VerificationState = { ...unverified, verification: 'passed' };

/** Opens rounds. */
export interface VerificationRounds {
  /** A new round, for a dialect that asks for one. */
  open(dialect: Dialect): VerificationState;
}

export function createVerificationRounds({
  clock,
  random,
}: Pick<VerificationDependencies, 'clock' | 'random'>) {
  return {
    open(dialect: Dialect): VerificationState {
      const { verifiedBy } = dialectRules[dialect];
      if (verifiedBy === 'nothing') return unverified;
      const now = clock.now();
      return {
        verification: 'pending',
        verificationId: newId(now, (count) => random.bytes(count)),
        verificationExpiresAt: verifiedBy === 'callback' ? new Date(now + verificationCallbackMs) : null,
      };
    },
  };
}

/** Whether endpoints of the dialect are verified at all. */
export function isVerified(dialect: Dialect): boolean {
  return dialectRules[dialect].verifiedBy !== 'nothing';
}

/**
 * The state of a new endpoint that is moved here: its receiver was found to be in order before and isn't asked again. Null when that
 * isn't said. Only operators may say it: an owner could have anyone's receiver flooded otherwise.
 */
export function readPassedBefore(
  message: configV1.Endpoint | undefined,
  dialect: Dialect,
  { organisationId }: Pick<Principal, 'organisationId'>,
): { readonly state: VerificationState | null; readonly violations: readonly Violation[] } {
  if (message === undefined || message.verification === Verification.VERIFICATION_UNSPECIFIED) {
    return { state: null, violations: [] };
  }
  const refused = (text: string): ReturnType<typeof readPassedBefore> => ({
    state: null,
    violations: [{ field: '/verification', code: 'invalid', message: text }],
  });
  if (message.verification !== Verification.VERIFICATION_PASSED) {
    return refused('A new endpoint can only be said to have passed before.');
  }
  if (organisationId !== null) return refused('Only an operator may say that it has passed before.');
  if (!isVerified(dialect)) return refused(`Endpoints of the dialect ${dialect} aren't verified.`);
  return { state: passedBefore, violations: [] };
}

/** `failed_precondition` for a dialect whose endpoints aren't verified. */
export function requireVerified(dialect: Dialect): void {
  if (isVerified(dialect)) return;
  throw new DomainError('failed_precondition', `Endpoints of the dialect ${dialect} aren't verified.`);
}

/** Where the callback of an endpoint's open round is called, below the public URL; null when there is none. */
export function callbackPathOf(endpoint: Endpoint, codes: VerificationCodes, nowMs: number): string | null {
  const { organisationId, id, verification, verificationId, verificationExpiresAt } = endpoint;
  const isOpen = verification === 'pending' && (verificationExpiresAt?.getTime() ?? 0) > nowMs;
  if (!isOpen || verificationId === null) return null;
  return `/callbacks/${codes.codeFor({ organisationId, endpointId: id, verificationId })}`;
}

export interface VerificationDependencies {
  readonly endpoints: EndpointStore;
  readonly codes: VerificationCodes;
  readonly rounds: VerificationRounds;
  readonly clock: Clock;
  readonly random: Random;
}

type VerificationHandlers = Pick<
  Handlers<typeof configV1.EndpointServiceService>,
  'startVerification' | 'completeVerification' | 'confirmVerification'
>;

export function createVerificationHandlers({
  endpoints,
  codes,
  rounds,
  clock,
}: Omit<VerificationDependencies, 'random'>): VerificationHandlers {
  return {
    async startVerification(request, { principal }) {
      const { endpoint } = await changeEndpoint(endpoints, { ...request, principal }, (present) => {
        const { dialect } = present.endpoint;
        requireVerified(dialect);
        return { ...present, endpoint: { ...present.endpoint, ...rounds.open(dialect) } };
      });
      return { endpoint: endpointToMessage(endpoint) };
    },

    async completeVerification({ organisationId, endpointId, verificationId, passed }, { principal }) {
      requireService(principal);
      const target = { principal, organisationId, idOrUid: endpointId };
      const { endpoint } = await changeEndpoint(endpoints, target, (present) => {
        const isOpen =
          present.endpoint.verification === 'pending' && present.endpoint.verificationId === verificationId;
        if (!isOpen) return present;
        const verification = passed ? 'passed' : 'failed';
        return { ...present, endpoint: { ...present.endpoint, verification } };
      });
      return { endpoint: endpointToMessage(endpoint) };
    },

    async confirmVerification({ code }, { principal }) {
      requireService(principal);
      const round = codes.read(code);
      if (round === null) throw noSuchCallback();
      const { organisationId, endpointId, verificationId } = round;
      const target = { principal, organisationId, idOrUid: endpointId };
      await changeEndpoint(endpoints, target, (present) => {
        const { endpoint } = present;
        const isValid =
          endpoint.verificationId === verificationId &&
          (endpoint.verificationExpiresAt?.getTime() ?? 0) > clock.now();
        if (!isValid) throw noSuchCallback();
        if (endpoint.verification === 'passed') return present;
        return { ...present, endpoint: { ...endpoint, verification: 'passed' } };
      });
      return {};
    },
  };
}

/** The same for a code of nobody's and for one whose time is over. */
function noSuchCallback(): DomainError {
  return new DomainError('not_found', 'There is no such callback, or its time is over.');
}
