import {
  DomainError,
  eventLimits,
  pointerTo,
  scanArray,
  scanObject,
  type JsonProblem,
  type JsonRange,
  type Violation,
} from '@posthorn/models';
import { maxBatchEvents } from '../schemas/event.ts';

/**
 * Where the events are in the body of a batch: `{"events":[…]}`, or one a line (NDJSON; blank lines don't count). Only what
 * holds the events together is judged here; whether each is one, is judged one by one.
 * Throws `invalid_argument` when it falls apart, or when there are more than 1,000.
 */
export function findEvents(body: Buffer, contentType: string | undefined): readonly JsonRange[] {
  const ranges = isNdjson(contentType) ? findLines(body) : findElements(body);
  if (ranges.length > maxBatchEvents) {
    const message = `At most ${maxBatchEvents} events are allowed.`;
    throw DomainError.invalid([{ field: '/events', code: 'too_many', message }]);
  }
  return ranges;
}

function isNdjson(contentType: string | undefined): boolean {
  return (
    contentType !== undefined &&
    /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines)\s*(;|$)/i.test(contentType)
  );
}

function findElements(body: Buffer): readonly JsonRange[] {
  const scanned = scanObject(body);
  if (!scanned.ok) throw problem('', scanned.problem);
  const violations: Violation[] = scanned.members
    .filter(({ key }) => key !== 'events')
    .map(({ key }) => ({
      field: pointerTo('', key),
      code: 'unknown_field',
      message: 'There is no such field here; there is events.',
    }));
  const events = scanned.members.find(({ key }) => key === 'events');
  if (events === undefined)
    violations.push({ field: '/events', code: 'required', message: 'This must be given.' });
  if (events === undefined || violations.length > 0) throw DomainError.invalid(violations);
  const array = scanArray(body, events);
  if (!array.ok) throw problem('/events', array.problem);
  return array.elements;
}

function problem(field: string, { code, message, line, column }: JsonProblem): DomainError {
  return DomainError.invalid([{ field, code, message: `${message} (Line ${line}, column ${column}.)` }]);
}

const lineFeed = 0x0a;
const blanks = new Set([0x20, 0x09, 0x0d]);

function findLines(body: Buffer): readonly JsonRange[] {
  const lines: JsonRange[] = [];
  for (let start = 0; start < body.length;) {
    const feed = body.indexOf(lineFeed, start);
    const end = feed === -1 ? body.length : feed;
    if (!isBlank(body, start, end)) lines.push({ start, end });
    // One more than the most is enough to know that there are too many.
    if (lines.length > maxBatchEvents) break;
    start = end + 1;
  }
  return lines;
}

function isBlank(body: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (!blanks.has(body[at] as number)) return false;
  return true;
}

/** Leaves room for the number of the event. */
const maxBatchKeyLength = eventLimits.idempotencyKeyLength - 5;
const keyForm = new RegExp(eventLimits.idempotencyKeyPattern);

/**
 * The idempotency keys that a batch's `Idempotency-Key` stands for: `key/0` for its first event, and so on. So the same batch
 * again is event by event the same, whatever became of it the first time. Throws `invalid_argument` for what is no key.
 */
export function eventKeys(batchKey: string | undefined): (index: number) => string | undefined {
  if (batchKey === undefined) return () => undefined;
  if (!keyForm.test(batchKey) || batchKey.length > maxBatchKeyLength) {
    const message = `This must be 1 to ${maxBatchKeyLength} characters of printable ASCII.`;
    throw DomainError.invalid([{ field: '?Idempotency-Key', code: 'invalid_format', message }]);
  }
  return (index) => `${batchKey}/${index}`;
}
