import type { QueuedDelivery } from './queued-delivery.ts';

/**
 * The deliveries in this process's memory, by id: what waits in lanes, what is under way, and what is being recorded. Each counts
 * until it is on record as what became of it, so that memory stays bounded while the store is away, too.
 */
export interface Loaded {
  /** Counts it once, however often it is added; another one of the same id takes its predecessor's place. */
  add(queued: QueuedDelivery): void;
  /** Does nothing when it isn't there, or when another one has taken its place. */
  remove(queued: QueuedDelivery): void;
  get(deliveryId: string): QueuedDelivery | undefined;
  all(): Iterable<QueuedDelivery>;
  readonly deliveries: number;
  readonly bytes: number;
}

export function createLoaded(): Loaded {
  const byId = new Map<string, QueuedDelivery>();
  let bytes = 0;

  return {
    add(queued) {
      const { id } = queued.delivery;
      bytes += queued.bytes - (byId.get(id)?.bytes ?? 0);
      byId.set(id, queued);
    },
    remove(queued) {
      const { id } = queued.delivery;
      if (byId.get(id) !== queued) return;
      byId.delete(id);
      bytes -= queued.bytes;
    },
    get: (deliveryId) => byId.get(deliveryId),
    all: () => byId.values(),
    get deliveries() {
      return byId.size;
    },
    get bytes() {
      return bytes;
    },
  };
}
