import { publishLimitsFromMessage, type ingestV1 } from '@posthorn/contracts';
import { isOperationalEventType, type Principal, type PublishLimits } from '@posthorn/models';
import type { Limited } from './limiter.ts';
import type { OrganisationView } from '../organisation-view.ts';

/**
 * Whose limits hold for an event: those of its organisation, and those of the key that publishes it. Undefined where there are
 * none, and for operational events, which nobody publishes and which would be lost. One of our own services says in the event
 * which key it publishes it for.
 */
export function limitedBy(
  { organisationId, event, caller }: { organisationId: string; event: ingestV1.NewEvent; caller: Principal },
  view: OrganisationView,
): readonly Limited[] | undefined {
  const key = keyOf(event, caller);
  if (view.limits === null && key === undefined) return undefined;
  if (caller.kind === 'service' && isOperationalEventType(event.type)) return undefined;
  const limited: Limited[] = [];
  if (view.limits !== null) limited.push({ owner: 'organisation', id: organisationId, limits: view.limits });
  if (key !== undefined) limited.push({ owner: 'key', ...key });
  return limited;
}

function keyOf(
  { limitedKey }: ingestV1.NewEvent,
  caller: Principal,
): { readonly id: string; readonly limits: PublishLimits } | undefined {
  if (caller.kind !== 'service') return caller.limits && { id: caller.id, limits: caller.limits };
  return limitedKey && { id: limitedKey.id, limits: publishLimitsFromMessage(limitedKey.limits) };
}
