import {
  checkEndpoint,
  type Endpoint,
  type EndpointSettings,
  type UrlPolicy,
  type Violation,
} from '@posthorn/models';
import { readIdOrNumber } from '../policies/policies.ts';
import type { PolicyStore } from '../policies/policy-store.ts';
import type { TargetCheck } from './target-check.ts';
import { refuseIfAny } from '../violations.ts';

/** The policy that an endpoint is to be tied to. */
export interface TiedPolicy {
  readonly policyId: string | null;
  readonly violations: readonly Violation[];
}

/** What is asked of others before an endpoint is written: what its name resolves to, and whether its policy is there. */
export interface EndpointChecks {
  /** Throws `invalid_argument` with everything that is wrong: with the settings that are given, and what was found before. */
  refuseUnlessValid(
    settings: Partial<EndpointSettings>,
    endpoint: Pick<Endpoint, 'organisationId' | 'dialect'>,
    foundBefore: readonly Violation[],
  ): Promise<void>;
  /** The id of the policy that is named by its id or number; one that is disabled can't be tied to anew. */
  findPolicy(organisationId: string, named: string | null): Promise<TiedPolicy>;
}

export function createEndpointChecks({
  policies,
  urlPolicy,
  checkTarget,
}: {
  readonly policies: PolicyStore;
  readonly urlPolicy: UrlPolicy;
  readonly checkTarget: TargetCheck;
}): EndpointChecks {
  return {
    async refuseUnlessValid(settings, { organisationId, dialect }, foundBefore) {
      const target = settings.url === undefined ? [] : await checkTarget(settings.url, organisationId);
      refuseIfAny([...foundBefore, ...checkEndpoint(settings, urlPolicy, dialect), ...target]);
    },

    async findPolicy(organisationId, named) {
      if (named === null) return { policyId: null, violations: [] };
      const stored = await policies.find(organisationId, readIdOrNumber(named));
      if (stored?.policy.disabled === false) return { policyId: stored.policy.id, violations: [] };
      const [code, message] =
        stored === null
          ? ['not_found', 'The organisation has no such policy.']
          : ['disabled', 'This policy is disabled: no endpoint can be tied to it any more.'];
      return { policyId: named, violations: [{ field: '/policy', code, message }] };
    },
  };
}
