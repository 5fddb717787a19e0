import type { Erasure, ErasureTarget } from '@posthorn/models';
import { erasureFromMessage, erasureToMessage } from './erasure-message.ts';
import { Erasure as ErasureMessage } from './gen/posthorn/dispatch/v1/erasures.ts';

const erasure: Erasure = {
  id: 'id',
  organisationId: 'org',
  state: 'running',
  target: { kind: 'organisation' },
  progress: { examined: 4, events: 3, deliveries: 2, responses: 1 },
  error: null,
  createdBy: 'key',
  createdAt: new Date(1),
  startedAt: new Date(2),
  finishedAt: null,
};

const targets: readonly ErasureTarget[] = [
  { kind: 'event', eventId: 'event' },
  { kind: 'subject', subjectHash: 'hash' },
  { kind: 'organisation' },
];

test.each(targets)('an erasure of $kind is the same after a journey over the wire', (target) => {
  const sent = { ...erasure, target };
  const received = ErasureMessage.decode(ErasureMessage.encode(erasureToMessage(sent)).finish());
  expect(erasureFromMessage(received)).toEqual(sent);
});

test('an erasure that does not say what of is refused', () => {
  const message = erasureToMessage({ ...erasure, target: { kind: 'event', eventId: 'event' } });
  expect(() => erasureFromMessage({ ...message, eventId: undefined })).toThrow();
});
