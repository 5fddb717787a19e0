import { editionLabel } from '@posthorn/models';
import { preoSignatureHeader, signPreo } from '@posthorn/signing';
import { customHeaders } from './custom-headers.ts';
import { embedPayload, withMicroseconds } from './embed.ts';
import type { DialectEnvelope, Occasion } from './message.ts';
import { currentTextKey } from './text-secret.ts';

/** The same body on every attempt, and so the same signature, as long as the secret is the same. */
export const preoEnvelope: DialectEnvelope = {
  compose(occasion) {
    const { event, delivery, target, at } = occasion;
    const body = preoBody(occasion);
    const signature = signPreo(currentTextKey(target, at), [body]);
    return {
      url: target.endpoint.url,
      headers: [
        'Content-Type',
        'application/json',
        'X-Webhook-Event',
        event.type,
        'X-Webhook-Delivery',
        delivery.id,
        preoSignatureHeader,
        signature,
        ...customHeaders(target.endpoint),
      ],
      body,
      signature,
    };
  },
  body: preoBody,
};

function preoBody({ event }: Occasion): Buffer {
  const edition = Object.hasOwn(event.labels, editionLabel) ? event.labels[editionLabel] : null;
  const head =
    `{"event":${JSON.stringify(event.type)},"created":"${withMicroseconds(event.acceptedAt)}",` +
    `"organization_id":"${event.organisationId}","edition_id":${JSON.stringify(edition)},"data":`;
  return embedPayload(head, event.payload, '}');
}
