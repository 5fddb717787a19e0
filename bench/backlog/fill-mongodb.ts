/**
 * Puts deliveries that wait into the database of dispatchers that are stopped: copies of one that waits there already, each of an event
 * of its own, spread over the partitions as published events are.
 */
import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';

interface WaitingDelivery extends MongoDocument {
  readonly id: string;
  readonly organisationId: string;
  readonly eventId: string;
  readonly createdAt: Date;
  readonly nextAttemptAt?: Date;
  readonly claim?: string;
}

interface StoredEvent extends MongoDocument {
  readonly id: string;
}

/** Documents of one insert. */
const step = 1_000;

export async function fillMongodb(database: MongoDatabase, partitions: number, count: number): Promise<void> {
  const deliveries = await database.open<WaitingDelivery>({ name: 'dispatcher_deliveries', indexes: [] });
  const events = await database.open<StoredEvent>({ name: 'dispatcher_events', indexes: [] });
  const waiting = await deliveries.findOne({ nextAttemptAt: { $exists: true } });
  const event = waiting && (await events.findOne({ _id: `${waiting.organisationId}/${waiting.eventId}` }));
  if (waiting === null || event === null) throw new Error('No delivery waits that could be copied.');
  const { claim: _claim, ...unclaimed } = waiting;

  const deliveryOf = (number: number): WaitingDelivery => {
    const id = numberedId(waiting.id, number);
    return {
      ...unclaimed,
      _id: `${waiting.organisationId}/${id}`,
      id,
      eventId: numberedId(waiting.eventId, number),
      nextAttemptAt: new Date(waiting.createdAt.getTime() + number),
      ...partitionOf(number),
    };
  };
  const eventOf = (number: number): StoredEvent => {
    const id = numberedId(event.id, number);
    return { ...event, _id: `${waiting.organisationId}/${id}`, id, ...partitionOf(number) };
  };
  const partitionOf = (number: number): object => ({ partition: number % partitions });

  for (let from = 1; from <= count; from += step) {
    const numbers = Array.from({ length: Math.min(step, count - from + 1) }, (_, index) => from + index);
    await events.insertMany(numbers.map(eventOf));
    await deliveries.insertMany(numbers.map(deliveryOf));
  }
}

/** An id with another end. */
function numberedId(id: string, number: number): string {
  return `${id.slice(0, 24)}${number.toString(16).padStart(12, '0')}`;
}
