import { checkResolvedTarget, checkTargetUrl, type UrlPolicy, type Violation } from '@posthorn/models';
import type { TargetResolver } from '@posthorn/runtime';

/**
 * What is wrong with what the name in a URL resolves to; what the URL's own text tells is for `checkEndpoint`. A name that
 * doesn't resolve is accepted: what it resolves to then is judged whenever it is connected to.
 */
export type TargetCheck = (url: string, organisationId: string) => Promise<readonly Violation[]>;

export interface TargetCheckDependencies {
  readonly policy: UrlPolicy;
  readonly resolver: Pick<TargetResolver, 'resolve'>;
}

export function createTargetCheck({ policy, resolver }: TargetCheckDependencies): TargetCheck {
  return async (text, organisationId) => {
    const target = checkTargetUrl(text, policy);
    if (!target.ok || target.name === null) return [];
    const answer = await resolver.resolve(target.url.hostname, organisationId);
    if (!answer.ok && answer.reason === 'blocked') {
      return [{ field: '/url', code: 'address_not_public', message: answer.message }];
    }
    return checkResolvedTarget(target.url, answer.ok ? answer.addresses : [], policy);
  };
}
