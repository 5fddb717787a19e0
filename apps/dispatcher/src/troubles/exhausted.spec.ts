import { compileMatcher, type Delivery, type Endpoint, type OperationalEvent } from '@posthorn/models';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import type { OrganisationView } from '../directory.ts';
import { createExhaustedNotices } from './exhausted.ts';
import {
  sampleAttempt,
  sampleDelivery,
  sampleEvent,
  sampleInsert,
  sampleTime,
} from '../deliveries/sample-deliveries.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

const failing = simulatedEndpoint({ organisationId: 'org' }, 1);
const { id } = failing.endpoint;

function setUp(over: Partial<Endpoint>) {
  const listening = simulatedEndpoint({ organisationId: 'org' }, 2);
  const endpoints = [failing, { ...listening, endpoint: { ...listening.endpoint, ...over } }];
  const view: Pick<OrganisationView, 'endpoints' | 'matcher'> = {
    endpoints: new Map(endpoints.map((signing) => [signing.endpoint.id, signing])),
    matcher: compileMatcher(endpoints),
  };
  const told: OperationalEvent[] = [];
  const notices = createExhaustedNotices({
    directory: { organisation: (organisationId) => (organisationId === 'org' ? view : null) },
    publish: (event) => told.push(event),
  });
  return { notices, told };
}

function record(over: Partial<Delivery> = {}, type = 'order.paid'): DeliveryRecord {
  const delivery = sampleDelivery(sampleEvent(1, { type }), id, {
    state: 'exhausted',
    attempts: 3,
    finishedAt: sampleTime(9),
    ...over,
  });
  return sampleInsert({ delivery, epoch: 0, attempt: sampleAttempt(delivery, 3, { outcome: 'http_error' }) });
}

describe('a delivery that is exhausted', () => {
  it('is told of where an endpoint names such events, also while it takes nothing', () => {
    for (const eventTypes of [['posthorn.delivery.exhausted'], ['posthorn.delivery.*'], ['posthorn.*']]) {
      const { notices, told } = setUp({ eventTypes, state: 'paused' });
      const { delivery, ...rest } = record();
      notices.observe([{ delivery, ...rest }]);
      expect(told).toMatchObject([
        {
          organisationId: 'org',
          type: 'posthorn.delivery.exhausted',
          occurredAt: sampleTime(9),
          data: { delivery: { id: delivery.id, attempts: 3 }, endpoint: { id } },
        },
      ]);
    }
  });

  it('is told of only to those whose filter it passes', () => {
    const filtering = (filter: object) => {
      const { notices, told } = setUp({ eventTypes: ['posthorn.*'], filterJson: JSON.stringify(filter) });
      notices.observe([record()]);
      return told.length;
    };
    expect(filtering({ 'endpoint.id': id })).toBe(1);
    expect(filtering({ 'endpoint.id': 'another' })).toBe(0);
  });

  it('is the same event when it is put on record again, by a retry that fails', () => {
    const { notices, told } = setUp({ eventTypes: ['posthorn.*'] });
    notices.observe([record(), record({ attempts: 4 })]);
    expect(told.map((event) => event.id)).toEqual([told[0]?.id, told[0]?.id]);
  });

  it.each<[string, Partial<Endpoint>, DeliveryRecord]>([
    ['nobody names such events', { eventTypes: ['posthorn.endpoint.*', '*'] }, record()],
    ['everything else is wanted', { eventTypes: null }, record()],
    [
      'it tells of something itself',
      { eventTypes: ['posthorn.*'] },
      record({}, 'posthorn.delivery.exhausted'),
    ],
    ['it has ended otherwise', { eventTypes: ['posthorn.*'] }, record({ state: 'failed' })],
    ['nothing was attempted', { eventTypes: ['posthorn.*'] }, { ...record(), attempt: null }],
    ['its endpoint is no more', { eventTypes: ['posthorn.*'] }, record({ endpointId: 'gone' })],
    ['its organisation is no more', { eventTypes: ['posthorn.*'] }, record({ organisationId: 'gone' })],
  ])('is not told of when %s', (_when, over, what) => {
    const { notices, told } = setUp(over);
    notices.observe([what]);
    expect(told).toEqual([]);
  });
});
