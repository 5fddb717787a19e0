import type { configV1 } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import type { Clock, Logger, OidcSettings } from '@posthorn/runtime';
import type { Client } from '../calls/client.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { createTokenAuthentication, type TokenAuthentication } from './token-authentication.ts';

export interface OpenTokenAuthenticationOptions {
  /** Nothing but API keys when null or absent. */
  readonly settings: OidcSettings | null | undefined;
  readonly organisations: Pick<Client<typeof configV1.OrganisationServiceService>, 'getOrganisation'>;
  /** On whose behalf organisations are looked up: the service at whose edge the caller stands. */
  readonly principal: Principal;
  readonly clock: Clock;
  readonly logger: Logger;
}

const lookupDeadlineMs = 1_500;

/** What an edge takes tokens with, over the issuer's keys and the organisations of config; nothing is fetched before it is needed. */
export function openTokenAuthentication(
  options: OpenTokenAuthenticationOptions,
): TokenAuthentication | undefined {
  const { settings, organisations, principal, clock, logger } = options;
  if (settings === null || settings === undefined) return undefined;
  return createTokenAuthentication({
    settings,
    keys: createIssuerKeys({ settings, clock, logger }),
    async findOrganisation(idOrSlug) {
      const { organisation } = await organisations.getOrganisation(
        { idOrSlug },
        { principal, deadlineMs: lookupDeadlineMs },
      );
      if (organisation === undefined) throw new DomainError('not_found', 'There is no such organisation.');
      return organisation.id;
    },
    clock,
  });
}
