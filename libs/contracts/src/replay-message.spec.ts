import type { Replay } from '@posthorn/models';
import { dispatchV1, replayFromMessage, replayToMessage } from './index.ts';

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

const whole: Replay = {
  id: 'replay',
  organisationId: 'org',
  state: 'running',
  selection: {
    endpoint: 'endpoint',
    eventId: 'event',
    eventTypes: ['order.*', 'invoice.paid'],
    states: ['failed', 'held'],
    statusClass: 5,
    since: at(1),
    until: at(2),
    createdAfter: at(3),
    createdBefore: at(4),
    includeUnmatched: true,
  },
  trigger: 'manual',
  perSecond: 50,
  dryRun: true,
  progress: {
    total: 7,
    done: 3,
    skipped: 1,
    skippedBecause: { payload_expired: 1 },
    remaining: 3,
    estimatedEndAt: at(9),
  },
  error: 'why',
  createdBy: 'key',
  createdAt: at(5),
  startedAt: at(6),
  finishedAt: at(7),
};

const bare: Replay = {
  ...whole,
  selection: {
    endpoint: null,
    eventId: null,
    eventTypes: [],
    states: [],
    statusClass: null,
    since: null,
    until: null,
    createdAfter: null,
    createdBefore: null,
    includeUnmatched: false,
  },
  trigger: 'replay',
  perSecond: null,
  dryRun: false,
  progress: { total: null, done: 0, skipped: 0, skippedBecause: {}, remaining: null, estimatedEndAt: null },
  error: null,
  startedAt: null,
  finishedAt: null,
};

describe('a replay as a message', () => {
  it.each([
    ['with everything', whole],
    ['with nothing that may be left out', bare],
  ])('comes back from the wire as it was, %s', (_, replay) => {
    const bytes = dispatchV1.Replay.encode(replayToMessage(replay)).finish();

    expect(replayFromMessage(dispatchV1.Replay.decode(bytes))).toEqual(replay);
  });
});
