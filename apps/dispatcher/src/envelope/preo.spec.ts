import { createHmac } from 'node:crypto';
import { headerRecord, sampleOccasion } from './occasion.harness.ts';
import { preoEnvelope } from './preo.ts';

describe('a preo delivery', () => {
  it('has every field in its order, and the payload as it was published', () => {
    const { body } = preoEnvelope.compose(sampleOccasion({ event: { labels: { edition_id: 'e1' } } }));

    expect(body.toString()).toBe(
      `{"event":"order.paid","created":"2026-03-04T05:06:08.009000Z",` +
        `"organization_id":"5f0c8a3e-0d4b-4f0e-9d2a-6a3c1b2d4e5f","edition_id":"e1",` +
        `"data":{ "id": 12345678901234567890, "total": 12.50, "text": "\\u00e9\\/" }}`,
    );
  });

  it('has a null edition where the event has none', () => {
    expect(JSON.parse(preoEnvelope.compose(sampleOccasion()).body.toString())).toHaveProperty(
      'edition_id',
      null,
    );
  });

  it('names event, delivery and signature in its headers', () => {
    const occasion = sampleOccasion();
    const { body, headers } = preoEnvelope.compose(occasion);

    expect(headerRecord(headers)).toEqual({
      'Content-Type': 'application/json',
      'X-Webhook-Event': 'order.paid',
      'X-Webhook-Delivery': occasion.delivery.id,
      'X-Webhook-Signature': createHmac('sha256', 'top-secret').update(body).digest('hex'),
    });
  });

  it('is the same, signature and all, on a retry', () => {
    const first = preoEnvelope.compose(sampleOccasion());
    const retry = preoEnvelope.compose(
      sampleOccasion({ delivery: { attempts: 3, state: 'retrying' }, at: new Date(1_800_000_000_000) }),
    );

    expect(retry).toEqual(first);
  });

  it('shows the very bytes that it sends', () => {
    expect(preoEnvelope.body(sampleOccasion())).toEqual(preoEnvelope.compose(sampleOccasion()).body);
  });
});
