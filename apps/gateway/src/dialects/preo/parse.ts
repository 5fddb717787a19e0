/**
 * What clients of preo send, read as Django REST Framework reads it: its conversions, its texts, all problems at once. Fields that the
 * API doesn't know, and those that are only read (`id`, `secret`, …), are ignored.
 */
import { DomainError, type Violation } from '@posthorn/models';
import type { Query } from '../query.ts';

/** An endpoint as it is created or changed; undefined where a field wasn't given. */
export interface EndpointFields {
  readonly organizationId?: string;
  readonly name?: string;
  readonly url?: string;
  readonly events?: readonly string[];
  readonly editionId?: string | null;
  readonly isActive?: boolean;
  readonly timeoutSeconds?: number;
}

/** What is wrong with a field, in DRF's words. */
class Invalid {
  readonly messages: readonly string[];
  constructor(...messages: readonly string[]) {
    this.messages = messages;
  }
}

type Reader<T> = (value: unknown) => T | Invalid;

interface Field<T> {
  readonly read: Reader<T>;
  readonly nullable?: boolean;
}

const maxNameLength = 255;
const maxUrlLength = 2048;
const timeoutSeconds = { min: 1, max: 60 };

const fields = {
  organization_id: { read: readUuid },
  name: { read: (value) => readText(value, maxNameLength) },
  url: { read: readUrl },
  events: { read: readEvents },
  edition_id: { read: readUuid, nullable: true },
  is_active: { read: readBoolean },
  timeout_seconds: { read: readTimeout },
} satisfies Readonly<Record<string, Field<unknown>>>;
type FieldName = keyof typeof fields;

/** Required when an endpoint is created. */
export const requiredAtCreate = ['organization_id', 'name', 'url', 'events'] as const;
/** Required by PUT. */
export const requiredAtReplace = ['name', 'url', 'events'] as const;

/** Reads the body of a create or an update. `readOnly` fields are ignored. Throws `invalid_argument` with every violation. */
export function readEndpointFields(
  body: unknown,
  {
    required,
    readOnly = [],
  }: { readonly required: readonly FieldName[]; readonly readOnly?: readonly FieldName[] },
): EndpointFields {
  const given = objectOf(body);
  const values: Partial<Record<FieldName, unknown>> = {};
  const violations: Violation[] = [];
  const refuse = (name: FieldName, messages: readonly string[]): void => {
    for (const message of messages) violations.push({ field: `/${name}`, code: 'invalid', message });
  };
  for (const [name, field] of Object.entries(fields) as [FieldName, Field<unknown>][]) {
    if (readOnly.includes(name)) continue;
    const value = given[name];
    if (value === undefined) {
      if (required.includes(name)) refuse(name, ['This field is required.']);
    } else if (value === null) {
      if (field.nullable === true) values[name] = null;
      else refuse(name, ['This field may not be null.']);
    } else {
      const read = field.read(value);
      if (read instanceof Invalid) refuse(name, read.messages);
      else values[name] = read;
    }
  }
  if (violations.length > 0) throw DomainError.invalid(violations);
  // Each value was read by the reader of its field.
  const read = values as {
    readonly organization_id?: string;
    readonly name?: string;
    readonly url?: string;
    readonly events?: readonly string[];
    readonly edition_id?: string | null;
    readonly is_active?: boolean;
    readonly timeout_seconds?: number;
  };
  return {
    ...(read.organization_id !== undefined && { organizationId: read.organization_id }),
    ...(read.name !== undefined && { name: read.name }),
    ...(read.url !== undefined && { url: read.url }),
    ...(read.events !== undefined && { events: read.events }),
    ...(read.edition_id !== undefined && { editionId: read.edition_id }),
    ...(read.is_active !== undefined && { isActive: read.is_active }),
    ...(read.timeout_seconds !== undefined && { timeoutSeconds: read.timeout_seconds }),
  };
}

/** DRF's refusal of an organisation that the key doesn't own. */
export function unknownOrganisation(id: string): DomainError {
  const message = `Invalid pk "${id}" - object does not exist.`;
  return DomainError.invalid([{ field: '/organization_id', code: 'unknown', message }]);
}

function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined) return {};
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  const message = `Invalid data. Expected a dictionary, but got ${pythonType(body)}.`;
  throw DomainError.invalid([{ field: '/non_field_errors', code: 'invalid', message }]);
}

function pythonType(value: unknown): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return 'dict';
}

function readText(value: unknown, maxLength: number): string | Invalid {
  if (typeof value !== 'string' && typeof value !== 'number') return new Invalid('Not a valid string.');
  const text = String(value).trim();
  if (text === '') return new Invalid('This field may not be blank.');
  if (text.includes('\0')) return new Invalid('Null characters are not allowed.');
  // Characters, as Python counts them.
  return [...text].length > maxLength
    ? new Invalid(`Ensure this field has no more than ${maxLength} characters.`)
    : text;
}

function readUrl(value: unknown): string | Invalid {
  const text = readText(value, maxUrlLength);
  if (text instanceof Invalid) return text;
  const isUrl = /^https?:\/\/[^\s/?#]+/i.test(text) && URL.canParse(text);
  return isUrl ? text : new Invalid('Enter a valid URL.');
}

function readEvents(value: unknown): readonly string[] | Invalid {
  if (!Array.isArray(value))
    return new Invalid(`Expected a list of items but got type "${pythonType(value)}".`);
  if (value.length === 0) return new Invalid('This list may not be empty.');
  const read = value.map((item) => readText(item, maxNameLength));
  const problems = read.filter((item) => item instanceof Invalid).flatMap(({ messages }) => messages);
  return problems.length > 0
    ? new Invalid(...new Set(problems))
    : read.filter((item) => typeof item === 'string');
}

function readUuid(value: unknown): string | Invalid {
  return typeof value === 'string' && isUuid(value)
    ? value.toLowerCase()
    : new Invalid('Must be a valid UUID.');
}

const truths: readonly unknown[] = [true, 1, '1', 't', 'true', 'y', 'yes', 'on'];
const falsehoods: readonly unknown[] = [false, 0, '0', 'f', 'false', 'n', 'no', 'off'];

function readBoolean(value: unknown): boolean | Invalid {
  const plain = typeof value === 'string' ? value.trim().toLowerCase() : value;
  if (truths.includes(plain)) return true;
  return falsehoods.includes(plain) ? false : new Invalid('Must be a valid boolean.');
}

function readTimeout(value: unknown): number | Invalid {
  const number =
    typeof value === 'string' && /^\s*[+-]?\d{1,1000}(?:\.0*)?\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number))
    return new Invalid('A valid integer is required.');
  const { min, max } = timeoutSeconds;
  if (number > max) return new Invalid(`Ensure this value is less than or equal to ${max}.`);
  return number < min ? new Invalid(`Ensure this value is greater than or equal to ${min}.`) : number;
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text);
}

/** Conditions on endpoints, from a query string. */
export interface EndpointConditions {
  readonly editionId?: string;
  readonly isActive?: boolean;
  readonly organizationId?: string;
}

export const orderings = ['created', '-created', 'modified', '-modified', 'name', '-name'] as const;
export interface Ordering {
  readonly by: 'created' | 'modified' | 'name';
  readonly descending: boolean;
}

export const statuses = ['pending', 'success', 'failed', 'retrying', 'exhausted'] as const;
export type Status = (typeof statuses)[number];

/** What a list is asked for, beside its page; an empty parameter is one that wasn't given. */
export interface ListConditions extends EndpointConditions {
  readonly ordering: Ordering | null;
  readonly status: Status | null;
}

/** Reads the filters of a list. Throws `invalid_argument` with every violation. */
export function readListConditions(query: Query): ListConditions {
  const violations: Violation[] = [];
  function read<T>(name: string, reader: (text: string) => T | Invalid): T | undefined {
    const text = query.last(name)?.trim();
    if (text === undefined || text === '') return undefined;
    const value = reader(text);
    if (!(value instanceof Invalid)) return value;
    for (const message of value.messages) violations.push({ field: `?${name}`, code: 'invalid', message });
    return undefined;
  }
  const editionId = read('edition_id', readUuid);
  const isActive = read('is_active', readBoolean);
  const organizationId = read('organization_id', readUuid);
  const ordering = read('ordering', readOrdering);
  const status = read('status', (text) => statuses.find((known) => known === text) ?? notAChoice(text));
  if (violations.length > 0) throw DomainError.invalid(violations);
  return {
    ...(editionId !== undefined && { editionId }),
    ...(isActive !== undefined && { isActive }),
    ...(organizationId !== undefined && { organizationId }),
    ordering: ordering ?? null,
    status: status ?? null,
  };
}

function readOrdering(text: string): Ordering | Invalid {
  const known = orderings.find((ordering) => ordering === text);
  if (known === undefined) return notAChoice(text);
  const by = (['created', 'modified', 'name'] as const).find((name) => known.endsWith(name)) ?? 'created';
  return { by, descending: known.startsWith('-') };
}

function notAChoice(text: string): Invalid {
  return new Invalid(`Select a valid choice. ${text} is not one of the available choices.`);
}
