import type { Event } from '@posthorn/models';
import { sampleAttempt, sampleDelivery } from './sample-deliveries.ts';
import { changeEndpoint, newEvent, type Life, type World } from './simulated-life.harness.ts';

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
  for (const event of events) await life.log.append(event);
  await settle();
  for (const event of events) {
    for (const id of endpointIds) {
      const delivery = sampleDelivery(event, id, {
        state: 'exhausted',
        attempts: 1,
        finishedAt: event.acceptedAt,
      });
      const attempt = sampleAttempt(delivery, 1, { outcome: 'http_error', status: 500 });
      const place = { partition: 0, epoch: 1, order: null, claim: null };
      await life.deliveries.record([{ kind: 'insert', delivery, ...place, attempt }], []);
    }
  }
  for (const id of endpointIds) changeEndpoint(world, id, { eventTypes: null });
  return events;
}
