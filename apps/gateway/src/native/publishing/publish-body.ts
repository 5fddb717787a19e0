import { isUtf8 } from 'node:buffer';
import type { ingestV1 } from '@posthorn/contracts';
import {
  checkEvent,
  DomainError,
  pointerTo,
  scanObject,
  type JsonRange,
  type Violation,
} from '@posthorn/models';
import { checkJsonText } from '../routing/json-text.ts';
import { readTime } from '../routing/rfc3339.ts';
import { newEventSchema } from '../schemas/event.ts';
import { refuseViolations } from '../routing/validate.ts';

/**
 * The bytes of an event to a message, by hand because every publish comes through here. `data` is cut out as the very
 * bytes that were sent; everything else is held to the published schema (`newEventSchema`), and what is wrong is told at
 * once. A name that comes twice is refused in the event and in its labels; within `data` it is the producer's business.
 */
export interface PublishInput {
  /** Its id is empty unless the producer gave one; its organisation is still to be filled in. */
  readonly event: ingestV1.NewEvent;
  /** Id or slug, as the body names it. */
  readonly organisation: string | undefined;
}

export interface PublishBodyOptions {
  readonly now: Date;
  /** Where the event is in the bytes; all of them when absent. */
  readonly range?: JsonRange;
  /** The `Idempotency-Key` header. */
  readonly headerKey?: string | undefined;
  /** The idempotency key of an event that brings none. */
  readonly standardKey?: string | undefined;
}

type TextField =
  'id' | 'type' | 'idempotencyKey' | 'occurredAt' | 'deliverAt' | 'subject' | 'orderingKey' | 'organisation';

/** Throws `invalid_argument` with all violations; pointers are into the event. */
export function readPublishBody(body: Buffer, options: PublishBodyOptions): PublishInput {
  const { start, end } = options.range ?? { start: 0, end: body.length };
  const input = parseObject(body, start, end);
  const violations: Violation[] = [];
  const texts: Partial<Record<TextField, string>> = {};
  let labels: Record<string, string> = {};
  let data: JsonRange | undefined;

  for (const member of membersOf(body, start, end)) {
    const value = input[member.key];
    switch (member.key) {
      case 'data':
        data = member;
        break;
      case 'labels':
        labels = readLabels(value, body, member, violations);
        break;
      case 'id':
      case 'type':
      case 'idempotencyKey':
      case 'occurredAt':
      case 'deliverAt':
      case 'subject':
      case 'orderingKey':
      case 'organisation':
        if (typeof value === 'string') texts[member.key] = value;
        else violations.push(wrongType(`/${member.key}`, 'a string'));
        break;
      default:
        violations.push(unknownField(member.key));
    }
  }
  if (data === undefined) violations.push(missing('/data'));
  if (!('type' in input)) violations.push(missing('/type'));
  if (texts.id === '')
    violations.push({ field: '/id', code: 'too_short', message: 'This must not be empty.' });

  const event: ingestV1.NewEvent = {
    id: texts.id ?? '',
    organisationId: '',
    // A type that is missing or of the wrong type has its violation already.
    type: texts.type ?? 'missing',
    data: data === undefined ? noBytes : cut(body, data),
    labels,
    subject: texts.subject,
    orderingKey: texts.orderingKey,
    idempotencyKey: readKey(texts.idempotencyKey, options.headerKey, violations) ?? options.standardKey,
    occurredAt: readTimeOf('occurredAt', texts.occurredAt, violations),
    deliverAt: readTimeOf('deliverAt', texts.deliverAt, violations),
    idFromProducer: texts.id !== undefined,
  };
  violations.push(...checkEvent(event, options.now));
  refuseViolations(violations);
  return { event, organisation: texts.organisation };
}

const noBytes = new Uint8Array(0);

function parseObject(body: Buffer, start: number, end: number): Readonly<Record<string, unknown>> {
  if (!isUtf8(body.subarray(start, end))) {
    throw DomainError.invalid([{ field: '', code: 'encoding', message: 'This is not valid UTF-8.' }]);
  }
  const text = body.toString('utf8', start, end);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Knows where; what it doesn't find wrong, the parser did.
    checkJsonText(text);
    throw DomainError.invalid([{ field: '', code: 'syntax', message: 'This is not JSON.' }]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw DomainError.invalid([wrongType('', 'an object')]);
  }
  return value as Readonly<Record<string, unknown>>;
}

function membersOf(
  body: Buffer,
  start: number,
  end: number,
): readonly (JsonRange & { readonly key: string })[] {
  const scanned = scanObject(body, { start, end });
  if (scanned.ok) return scanned.members;
  // It is JSON, so this is a name that comes twice, or depth.
  checkJsonText(body.toString('utf8', start, end));
  const { code, message } = scanned.problem;
  throw DomainError.invalid([{ field: '', code, message }]);
}

/** A payload that is a small part of its body is copied: it must not keep a whole batch in memory for as long as it waits. */
function cut(body: Buffer, { start, end }: JsonRange): Uint8Array {
  const isMostOfIt = (end - start) * 4 >= body.length;
  return isMostOfIt ? body.subarray(start, end) : Uint8Array.prototype.slice.call(body, start, end);
}

function readLabels(
  value: unknown,
  body: Buffer,
  range: JsonRange,
  violations: Violation[],
): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    violations.push(wrongType('/labels', 'an object'));
    return {};
  }
  const scanned = scanObject(body, range);
  if (!scanned.ok) {
    const { code, message } = scanned.problem;
    violations.push({ field: '/labels', code, message });
  }
  const labels: Record<string, string> = {};
  for (const [name, label] of Object.entries(value)) {
    if (typeof label === 'string') labels[name] = label;
    else violations.push(wrongType(pointerTo('/labels', name), 'a string'));
  }
  return labels;
}

function readKey(
  inBody: string | undefined,
  inHeader: string | undefined,
  violations: Violation[],
): string | undefined {
  if (inHeader === undefined || inHeader === inBody) return inBody;
  if (inBody === undefined) return inHeader;
  const message = 'This is another key than the one in the Idempotency-Key header.';
  violations.push({ field: '/idempotencyKey', code: 'conflict', message });
  return inBody;
}

function readTimeOf(
  name: 'occurredAt' | 'deliverAt',
  text: string | undefined,
  violations: Violation[],
): Date | undefined {
  if (text === undefined) return undefined;
  const time = readTime(text);
  if (time !== null) return time;
  const message = 'This must be a time as in 2026-01-31T12:00:00.000Z.';
  violations.push({ field: `/${name}`, code: 'format', message });
  return undefined;
}

function missing(field: string): Violation {
  return { field, code: 'required', message: 'This must be given.' };
}

function wrongType(field: string, type: string): Violation {
  return { field, code: 'type', message: `This must be ${type}.` };
}

const knownFields = Object.keys(newEventSchema.definition['properties'] as object).join(', ');

function unknownField(name: string): Violation {
  const message = `There is no such field here; there are ${knownFields}.`;
  return { field: pointerTo('', name), code: 'unknown_field', message };
}
