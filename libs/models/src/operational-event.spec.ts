import type { Attempt } from './deliveries/attempt.ts';
import type { Delivery } from './deliveries/delivery.ts';
import { sampleEndpoint } from './endpoints/sample-endpoint.harness.ts';
import { checkEvent } from './events/event-check.ts';
import { idTimeMs, isId } from './ids.ts';
import { endpointEvent, exhaustedEvent, failingEvent, recoveredEvent } from './operational-event.ts';

const at = new Date('2026-01-02T03:04:05.678Z');
const endpoint = sampleEndpoint({
  number: 7,
  uid: 'mine',
  url: 'https://receiver.example/hooks/secret-path',
  name: 'Orders',
  description: 'private notes',
  state: 'disabled',
  stateReason: 'gone',
  headers: { 'X-Token': 'secret-header' },
  metadata: { note: 'secret-note' },
  version: 3,
});
const delivery: Delivery = {
  id: 'd1',
  organisationId: 'o1',
  eventId: 'ev1',
  eventType: 'order.paid',
  endpointId: 'e1',
  state: 'exhausted',
  reason: 'attempts_exhausted',
  attempts: 5,
  nextAttemptAt: null,
  trigger: 'schedule',
  createdAt: at,
  finishedAt: at,
};
const attempt: Attempt = {
  id: 'a5',
  organisationId: 'o1',
  deliveryId: 'd1',
  eventId: 'ev1',
  eventType: 'order.paid',
  endpointId: 'e1',
  number: 5,
  trigger: 'schedule',
  startedAt: at,
  durationMs: 12,
  outcome: 'http_error',
  status: 500,
  error: 'The receiver answered 500.',
  response: null,
  address: '93.184.216.34',
  signature: 'v1,secret-signature',
};
const disabled = { type: 'posthorn.endpoint.disabled', endpoint, writes: 4, by: 'posthorn', at } as const;

describe('an operational event', () => {
  it('says which endpoint it was, in which state it is, and who did it', () => {
    expect(endpointEvent(disabled)).toMatchObject({
      organisationId: 'o1',
      type: 'posthorn.endpoint.disabled',
      occurredAt: at,
      data: {
        endpoint: {
          id: 'e1',
          uid: 'mine',
          name: 'Orders',
          dialect: 'standard',
          state: 'disabled',
          stateReason: 'gone',
          version: 3,
        },
        by: 'posthorn',
      },
    });
  });

  it('has the same id however often it is told, and another for anything else', () => {
    const ids = [
      endpointEvent(disabled),
      endpointEvent({ ...disabled, writes: 5 }),
      endpointEvent({ ...disabled, type: 'posthorn.endpoint.updated' }),
      endpointEvent({ ...disabled, endpoint: { ...endpoint, id: 'e2' } }),
      exhaustedEvent({ delivery, attempt, endpoint }),
      exhaustedEvent({ delivery: { ...delivery, id: 'd2' }, attempt, endpoint }),
      failingEvent({ endpoint, failingSince: at, lastAttempt: attempt }),
      recoveredEvent({ endpoint, failingSince: at, at }),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(endpointEvent({ ...disabled, by: 'owner' }).id).toBe(ids[0]);
    // A retry by hand that fails leaves the delivery as it ended, with one attempt more.
    const retried = { ...delivery, attempts: 6 };
    expect(exhaustedEvent({ delivery: retried, attempt, endpoint }).id).toBe(ids[4]);
    expect(ids.every((id) => isId(id) && idTimeMs(id) === at.getTime())).toBe(true);
  });

  it('tells of an exhausted delivery what it was for and how its last attempt ended', () => {
    expect(exhaustedEvent({ delivery, attempt, endpoint }).data).toMatchObject({
      delivery: { id: 'd1', eventId: 'ev1', eventType: 'order.paid', attempts: 5, finishedAt: at },
      lastAttempt: { outcome: 'http_error', status: 500, startedAt: at },
      endpoint: { id: 'e1', state: 'disabled' },
    });
  });

  it('of an endpoint that fails is that of this trouble, whichever attempt showed it', () => {
    const failing = failingEvent({ endpoint, failingSince: at, lastAttempt: attempt });
    const lastAttempt = { ...attempt, outcome: 'timeout' as const, status: null, startedAt: new Date(0) };
    expect(failing.data).toMatchObject({ failingSince: at, lastAttempt: { outcome: 'http_error' } });
    expect(failingEvent({ endpoint, failingSince: at, lastAttempt }).id).toBe(failing.id);
    const later = failingEvent({ endpoint, failingSince: new Date(at.getTime() + 1), lastAttempt });
    expect(later.id).not.toBe(failing.id);
  });

  it('holds nothing that an owner keeps secret', () => {
    const text = JSON.stringify([
      endpointEvent(disabled),
      exhaustedEvent({ delivery, attempt, endpoint }),
      failingEvent({ endpoint, failingSince: at, lastAttempt: attempt }),
      recoveredEvent({ endpoint, failingSince: at, at }),
    ]);
    expect(text).not.toMatch(/secret|receiver\.example|private/);
  });

  it('is an event like any other but for its reserved type', () => {
    expect(checkEvent(endpointEvent(disabled)).map(({ code }) => code)).toEqual(['reserved']);
  });
});
