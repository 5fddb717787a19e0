import type { Delivery, DeliveryState } from '@posthorn/models';
import { ricloudSignatureHeader, signRicloud } from '@posthorn/signing';
import { customHeaders } from './custom-headers.ts';
import { embedPayload, withMicroseconds } from './embed.ts';
import { secondsOf, type DialectEnvelope, type Occasion } from './message.ts';
import { currentTextKey } from './text-secret.ts';

/** The event with the state of its delivery, at a URL that ends with the event's id. Signed anew on every attempt. */
export const ricloudEnvelope: DialectEnvelope = {
  compose(occasion) {
    const { event, target, at } = occasion;
    const body = ricloudBody(occasion);
    const signature = signRicloud(currentTextKey(target, at), secondsOf(at), [body]);
    return {
      url: ricloudUrl(target.endpoint.url, event.id),
      headers: [
        'Content-Type',
        'application/json',
        ricloudSignatureHeader,
        signature,
        ...customHeaders(target.endpoint),
      ],
      body,
      signature,
    };
  },
  body: ricloudBody,
};

/** `{url}/{event id}`: joined with one slash however the URL ends, its query behind the path. */
export function ricloudUrl(url: string, eventId: string): string {
  const target = new URL(url);
  target.pathname = `${target.pathname.replace(/\/+$/, '')}/${eventId}`;
  return target.href;
}

function ricloudBody({ event, delivery }: Occasion): Buffer {
  const dot = event.type.lastIndexOf('.');
  const head =
    `{"id":"${event.id}","resource":"event","type":${JSON.stringify(event.type.slice(0, Math.max(dot, 0)))},` +
    `"action":${JSON.stringify(event.type.slice(dot + 1))},"data":`;
  const tail =
    `,"state":"${states[delivery.state]}","retries":${delivery.attempts},` +
    `"date_created":"${withMicroseconds(event.acceptedAt)}","date_delivered":${deliveredAt(delivery)}}`;
  return embedPayload(head, event.payload, tail);
}

/** The names that ricloud has for the states of a delivery. */
const states = {
  pending: 'pending',
  retrying: 'pending',
  held: 'pending',
  succeeded: 'delivered',
  exhausted: 'failed',
  failed: 'failed',
  cancelled: 'failed',
} as const satisfies Record<DeliveryState, string>;

function deliveredAt({ state, finishedAt }: Delivery): string {
  return state === 'succeeded' && finishedAt !== null ? `"${withMicroseconds(finishedAt)}"` : 'null';
}
