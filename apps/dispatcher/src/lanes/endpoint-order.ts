import type { Delivery, Endpoint } from '@posthorn/models';

/** Why a delivery is held that waits behind one that blocks its key. */
export const blockedReason = 'order_blocked';

/** Whether the endpoint gets what has the same ordering key one after the other. */
export function wantsOrder(endpoint: Endpoint | undefined): boolean {
  return endpoint?.ordering === 'key';
}

/** Whether what has the same key waits until a delivery that has ended badly is retried with success. */
export function holdsWhenExhausted(endpoint: Endpoint | undefined): boolean {
  return endpoint?.ordering === 'key' && endpoint.onExhausted === 'hold';
}

/** Whether a delivery, as an attempt has left it, blocks those behind it. */
export function blocksItsKey({ state }: Delivery, endpoint: Endpoint): boolean {
  return (state === 'exhausted' || state === 'failed') && holdsWhenExhausted(endpoint);
}
