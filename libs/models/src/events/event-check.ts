import type { Violation } from '../errors.ts';
import { labelLimits } from './event.ts';
import { maxEventTypeLength } from './event-type-name.ts';
import { checkOwnEventTypeName } from './event-type-check.ts';
import { checkCount, checkForm, checkMemberName, checkText } from '../field-check.ts';
import { pointerTo } from '../json/json-pointer.ts';

/** What bounds a published event, apart from its payload. Lengths are in characters. */
export const eventLimits = {
  typeLength: maxEventTypeLength,
  idLength: 64,
  /** As the source of a regular expression. */
  idPattern: '^[A-Za-z0-9_-]{1,64}$',
  labels: labelLimits.labels,
  labelKeyLength: labelLimits.keyLength,
  labelValueLength: labelLimits.valueLength,
  subjectLength: 255,
  idempotencyKeyLength: 255,
  orderingKeyLength: 255,
  /** As the source of a regular expression: printable ASCII. */
  idempotencyKeyPattern: '^[\\x20-\\x7e]{1,255}$',
  /** How far ahead of our clock the time of an event may be. */
  occurredAheadMs: 86_400_000,
} as const;

/** An event as its producer describes it. An empty id is none. */
export interface EventDescription {
  readonly id?: string | null | undefined;
  readonly type: string;
  readonly labels?: Readonly<Record<string, string>> | null | undefined;
  readonly subject?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly orderingKey?: string | null | undefined;
  readonly occurredAt?: Date | null | undefined;
  readonly deliverAt?: Date | null | undefined;
}

/** Everything that is wrong with an event, apart from its payload. Without `now` its time may lie in the future. */
export function checkEvent(event: EventDescription, now?: Date): readonly Violation[] {
  const { id, type, labels, subject, idempotencyKey, orderingKey, occurredAt, deliverAt } = event;
  return [
    ...checkOwnEventTypeName(type, '/type'),
    ...(isAbsent(id) || id === '' ? [] : checkForm(id, '/id', idForm, idRule)),
    ...(isAbsent(labels) ? [] : checkLabels(labels)),
    ...(isAbsent(subject)
      ? []
      : checkText(subject, '/subject', { minLength: 1, maxLength: eventLimits.subjectLength })),
    ...(isAbsent(idempotencyKey)
      ? []
      : checkForm(idempotencyKey, '/idempotencyKey', idempotencyKeyForm, idempotencyKeyRule)),
    ...(isAbsent(orderingKey)
      ? []
      : checkText(orderingKey, '/orderingKey', { minLength: 1, maxLength: eventLimits.orderingKeyLength })),
    ...(isAbsent(occurredAt) ? [] : checkOccurredAt(occurredAt, now)),
    ...(isAbsent(deliverAt) ? [] : checkDeliverAt(deliverAt, !isAbsent(orderingKey))),
  ];
}

const idForm = new RegExp(eventLimits.idPattern);
const idRule = `An id is 1 to ${eventLimits.idLength} letters, digits, "_" or "-".`;
const idempotencyKeyForm = new RegExp(eventLimits.idempotencyKeyPattern);
const idempotencyKeyRule = `An idempotency key is 1 to ${eventLimits.idempotencyKeyLength} characters of printable ASCII.`;

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function checkLabels(labels: Readonly<Record<string, string>>): readonly Violation[] {
  const field = '/labels';
  const entries = Object.entries(labels);
  return [
    ...checkCount(entries.length, field, { max: eventLimits.labels }),
    ...entries.flatMap(([key, value]) => [
      ...checkMemberName(key, pointerTo(field, key), {
        minLength: 1,
        maxLength: eventLimits.labelKeyLength,
      }),
      ...checkText(value, pointerTo(field, key), { maxLength: eventLimits.labelValueLength }),
    ]),
  ];
}

/** Times before 1970 or after the year 9999 are units that were mixed up, not times. */
function checkOccurredAt(occurredAt: Date, now: Date | undefined): readonly Violation[] {
  const latest = now === undefined ? Date.UTC(10_000, 0) - 1 : now.getTime() + eventLimits.occurredAheadMs;
  const ms = occurredAt.getTime();
  if (ms >= 0 && ms <= latest) return [];
  const message = 'A time from 1970 on is wanted that is at most a day ahead.';
  return [{ field: '/occurredAt', code: 'out_of_range', message }];
}

/** How far ahead it may be is a matter of the organisation: `checkDelay`. */
function checkDeliverAt(deliverAt: Date, isOrdered: boolean): readonly Violation[] {
  const field = '/deliverAt';
  const ms = deliverAt.getTime();
  const isTime = ms >= 0 && ms < Date.UTC(10_000, 0);
  return [
    ...(isTime ? [] : [{ field, code: 'out_of_range', message: 'A time from 1970 to 9999 is wanted.' }]),
    ...(isOrdered ? [{ field, code: 'conflict', message: orderedRule }] : []),
  ];
}

const orderedRule =
  'An event with an orderingKey is delivered in the order in which it was published, so it has no time of its own; leave one of the two out.';

const dayMs = 86_400_000;

/** What is wrong with waiting until then, where payloads are kept for so many days: what is delivered must still be there. */
export function checkDelay(deliverAt: Date, payloadDays: number, now: Date): readonly Violation[] {
  const latest = new Date(now.getTime() + payloadDays * dayMs);
  if (!(deliverAt > latest)) return [];
  const message = `It must be ${latest.toISOString()} or before: payloads of this organisation are kept for ${payloadDays} ${payloadDays === 1 ? 'day' : 'days'}.`;
  return [{ field: '/deliverAt', code: 'out_of_range', message }];
}
