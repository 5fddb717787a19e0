import type { Event } from '@posthorn/models';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import { sampleAttempt, sampleDelivery, sampleInsert } from '../deliveries/sample-deliveries.ts';
import { changeEndpoint, newEvent, type Life, type World } from '../simulation/simulated-life.harness.ts';

/** Events whose deliveries to every endpoint are exhausted after one attempt, as if a while had passed. */
export async function exhaustedEvents(
  {
    world,
    life,
    settle,
  }: { readonly world: World; readonly life: Life; readonly settle: () => Promise<void> },
  count: number,
  over: Partial<Event> = {},
): Promise<Event[]> {
  const endpointIds = [...world.endpoints.keys()];
  for (const id of endpointIds) changeEndpoint(world, id, { eventTypes: ['nothing'] });
  const events = Array.from({ length: count }, () => ({ ...newEvent(world), ...over }));
  await Promise.all(events.map((event) => life.log.append(event)));
  await settle();
  const records = events.flatMap((event) =>
    endpointIds.map((id): DeliveryRecord => {
      const ended = { state: 'exhausted', attempts: 1, finishedAt: event.acceptedAt } as const;
      const delivery = sampleDelivery(event, id, ended);
      const attempt = sampleAttempt(delivery, 1, { outcome: 'http_error', status: 500 });
      return sampleInsert({ delivery, attempt });
    }),
  );
  await life.deliveries.record(records, []);
  for (const id of endpointIds) changeEndpoint(world, id, { eventTypes: null });
  return events;
}
