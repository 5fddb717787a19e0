import type { OperationalEvent } from '@posthorn/models';
import type { OrganisationView } from '../directory.ts';

/** Whether an endpoint of the organisation would get the event: publishing one costs as much as any event. */
export function isWanted(
  { type, data }: OperationalEvent,
  { matcher }: Pick<OrganisationView, 'matcher'>,
): boolean {
  const payload = (): unknown => JSON.parse(JSON.stringify(data));
  return matcher.match({ type, labels: {}, routesTo: null }, payload).length > 0;
}
