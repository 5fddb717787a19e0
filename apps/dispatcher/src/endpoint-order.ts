import type { Delivery, Endpoint } from '@posthorn/models';

/** Whether the endpoint gets what has the same ordering key one after the other. */
export function wantsOrder(_endpoint: Endpoint | undefined): boolean {
  return false;
}

/** Whether what has the same key waits until a delivery that has ended badly is retried with success. */
export function holdsWhenExhausted(_endpoint: Endpoint | undefined): boolean {
  return false;
}

/** Whether a delivery, as an attempt has left it, blocks those behind it. */
export function blocksItsKey({ state }: Delivery, endpoint: Endpoint): boolean {
  return (state === 'exhausted' || state === 'failed') && holdsWhenExhausted(endpoint);
}
