/**
 * Which organisation a request is about. A tenant's key implies its own; naming another one answers like naming one that
 * doesn't exist. An operator names it by id or slug, in the `Posthorn-Organisation` header or in the body.
 */
import type { configV1 } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import { createLookupCache, type Clock } from '@posthorn/runtime';
import type { GatewayClients } from './clients.ts';
import { gatewayPrincipal } from './gateway-principal.ts';

/** The header's name, as Node gives it. */
export const organisationHeader = 'posthorn-organisation';

/** What a request says about its organisation. */
export interface NamedOrganisation {
  readonly inHeader?: string | undefined;
  readonly inBody?: string | undefined;
  /** Where the body names it, for violations. */
  readonly bodyField?: string;
}

/** See `createOrganisationLookup`. */
export interface OrganisationLookup {
  /** Resolves to the organisation's id, at once where nothing has to be asked; null where an operator named none. */
  find(principal: Principal, named: NamedOrganisation): string | null | Promise<string | null>;
  /** The organisation with that id, which the caller is known to act for. */
  read(organisationId: string): configV1.Organisation | Promise<configV1.Organisation>;
  /** An organisation was made, renamed or deleted: what a name meant counts no more. */
  forget(): void;
}

const idOrSlug = /^[A-Za-z0-9-]{1,63}$/;
const lookupDeadlineMs = 2_000;

export function createOrganisationLookup(
  organisations: GatewayClients['organisations'],
  clock: Clock,
): OrganisationLookup {
  const cache = createLookupCache<configV1.Organisation>({
    clock,
    unknownCode: 'not_found',
    refreshAfterMs: 1_500,
    maxAgeMs: 3_000,
    keepMs: 15 * 60_000,
    unknownMs: 500,
    maxEntries: 10_000,
    load: async (name) => {
      const { organisation } = await organisations.getOrganisation(
        { idOrSlug: name },
        { principal: gatewayPrincipal, deadlineMs: lookupDeadlineMs },
      );
      if (organisation === undefined) throw notFound(name);
      return organisation;
    },
  });

  async function idOfName(name: string): Promise<string> {
    try {
      return (await cache.get(name)).id;
    } catch (error) {
      throw DomainError.from(error).code === 'not_found' ? notFound(name) : error;
    }
  }

  async function idOf(principal: Principal, name: string): Promise<string> {
    if (!idOrSlug.test(name)) throw notFound(name);
    if (principal.organisationId === null) return idOfName(name);
    // For a tenant nothing else is looked up: how long that takes would tell which names others have.
    const { id, slug } = await cache.get(principal.organisationId);
    if (name !== id && name !== slug) throw notFound(name);
    return id;
  }

  async function resolve(principal: Principal, named: NamedOrganisation): Promise<string | null> {
    const { inHeader, inBody, bodyField = '/organisation' } = named;
    const ids = await Promise.all(
      [inHeader, inBody].filter((name) => name !== undefined).map((name) => idOf(principal, name)),
    );
    if (ids.length === 2 && ids[0] !== ids[1]) {
      const message = 'This is another organisation than the Posthorn-Organisation header names.';
      throw DomainError.invalid([{ field: bodyField, code: 'conflict', message }]);
    }
    return ids[0] ?? principal.organisationId;
  }

  return {
    find(principal, named) {
      const { inHeader, inBody } = named;
      const own = principal.organisationId;
      if (inHeader === undefined && inBody === undefined) return own;
      if (own !== null && (inHeader ?? own) === own && (inBody ?? own) === own) return own;
      return resolve(principal, named);
    },
    read: (organisationId) => cache.get(organisationId),
    forget: () => cache.clear(),
  };
}

function notFound(name: string): DomainError {
  return new DomainError('not_found', `There is no organisation "${name.slice(0, 64)}".`);
}
