/** What clients of rapidly send, read as pydantic reads it: everything that is wrong at once. Fields that it doesn't know are ignored. */
import type { Query } from '../query.ts';
import { refusal, type Problem } from './errors.ts';
import {
  readAll,
  readAwareTime,
  readBoolean,
  readChoice,
  readList,
  readText,
  readUrl,
  readUuid,
  type Read,
  type Reader,
} from './read.ts';

export const formats = ['raw', 'discord', 'slack'] as const;
export type Format = (typeof formats)[number];

export const eventTypes = [
  'customer.created',
  'customer.updated',
  'customer.deleted',
  'customer.state_changed',
  'share.created',
  'share.updated',
  'workspace.updated',
  'file_sharing_session.created',
  'file_sharing_session.download_completed',
  'file_sharing_session.expired',
  'file_sharing_session.payment_received',
] as const;
export type EventTypeName = (typeof eventTypes)[number];

export const httpCodeClasses = ['2xx', '3xx', '4xx', '5xx'] as const;

export const secretLength = { min: 32, max: 256 };

export interface NewEndpoint {
  readonly url: string;
  readonly format: Format;
  readonly events: readonly EventTypeName[];
  readonly secret: string | undefined;
  readonly workspaceId: string | undefined;
}

/** Undefined where a field stays as it is. */
export interface EndpointChanges {
  readonly url?: string | undefined;
  readonly format?: Format | undefined;
  readonly events?: readonly EventTypeName[] | undefined;
  readonly secret?: string | undefined;
  readonly enabled?: boolean | undefined;
}

const readSecret = readText(secretLength.min, secretLength.max);
const readFormat = readChoice(formats);
const readEvents = readList(readChoice(eventTypes));

/** Collects what is wrong while values are read. */
function collector(place: 'body' | 'query'): {
  take<T>(name: string, input: unknown, read: Read<T>): T | undefined;
  missing(name: string, input: unknown): void;
  finish(): void;
} {
  const problems: Problem[] = [];
  return {
    take(name, input, read) {
      if (read.ok) return read.value;
      for (const { type, msg, at, ...fault } of read.faults) {
        const loc = at === undefined ? [place, name] : [place, name, at];
        problems.push({ loc, msg, type, input: 'input' in fault ? fault.input : input });
      }
      return undefined;
    },
    missing: (name, input) =>
      void problems.push({ loc: [place, name], msg: 'Field required', type: 'missing', input }),
    finish() {
      if (problems.length > 0) throw refusal(problems);
    },
  };
}

/** Who sends it: a token of one workspace names none, and one of a user has to. */
export type TokenKind = 'workspace' | 'user';

/** Reads the body of a create. Throws the refusal with every problem. */
export function readNewEndpoint(body: unknown, token: TokenKind): NewEndpoint {
  const given = objectOf(body);
  const { take, missing, finish } = collector('body');
  function required<T>(name: string, read: Reader<T>): T | undefined {
    if (name in given) return take(name, given[name], read(given[name]));
    missing(name, given);
    return undefined;
  }
  const url = required('url', readUrl);
  const secret = optional(given, 'secret', readSecret, take);
  const format = required('format', readFormat);
  const events = required('events', readEvents);
  const workspaceId = optional(given, 'workspace_id', readUuid, take);
  finish();
  if (url === undefined || format === undefined || events === undefined) throw refusal([]);
  if (token === 'workspace' && workspaceId !== undefined) {
    throw workspaceRefusal(
      'workspace_token',
      'Setting workspace_id is disallowed when using an workspace token.',
      workspaceId,
    );
  }
  if (token === 'user' && workspaceId === undefined) {
    throw workspaceRefusal('missing', 'workspace_id is required.', null);
  }
  return { url, secret, format, events, workspaceId };
}

/** Reads the body of an update: absent and null both leave a field as it is. Throws the refusal with every problem. */
export function readEndpointChanges(body: unknown): EndpointChanges {
  const given = objectOf(body);
  const { take, finish } = collector('body');
  const changes = {
    url: optional(given, 'url', readUrl, take),
    secret: optional(given, 'secret', readSecret, take),
    format: optional(given, 'format', readFormat, take),
    events: optional(given, 'events', readEvents, take),
    enabled: optional(given, 'enabled', readBoolean, take),
  };
  finish();
  return changes;
}

function optional<T>(
  given: Readonly<Record<string, unknown>>,
  name: string,
  read: Reader<T>,
  take: (name: string, input: unknown, read: Read<T>) => T | undefined,
): T | undefined {
  const value = given[name];
  return value === undefined || value === null ? undefined : take(name, value, read(value));
}

function workspaceRefusal(type: string, msg: string, input: unknown): Error {
  return refusal([{ loc: ['body', 'workspace_id'], msg, type, input }]);
}

/** The refusal of a workspace that isn't there. */
export function unknownWorkspace(id: string): Error {
  return workspaceRefusal('value_error', 'Workspace not found.', id);
}

function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined)
    throw refusal([{ loc: ['body'], msg: 'Field required', type: 'missing', input: null }]);
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  const msg = 'Input should be a valid dictionary or object to extract fields from';
  throw refusal([{ loc: ['body'], msg, type: 'model_attributes_type', input: body }]);
}

/** Reads an id of a path. Throws the refusal of one that is no UUID. */
export function readPathId(text: string, name = 'id'): string {
  const read = readUuid(text);
  if (read.ok) return read.value;
  throw refusal(read.faults.map(({ type, msg }) => ({ loc: ['path', name], msg, type, input: text })));
}

/** Filters of the list of attempts; undefined where none was given. */
export interface DeliveryFilters {
  readonly endpointIds: readonly string[];
  readonly startedAfter: Date | undefined;
  readonly startedBefore: Date | undefined;
  readonly succeeded: boolean | undefined;
  readonly query: string;
  readonly httpCodeClass: (typeof httpCodeClasses)[number] | undefined;
  readonly eventTypes: readonly EventTypeName[];
}

/** Reads the filters of the list of attempts, and whatever `more` reads. Throws the refusal with every problem. */
export function readDeliveryFilters<T>(query: Query, more: (take: Take) => T): DeliveryFilters & T {
  const { take, finish } = collector('query');
  const one = <V>(name: string, read: Reader<V>): V | undefined => {
    const text = query.last(name);
    return text === undefined ? undefined : take(name, text, read(text));
  };
  const many = <V>(name: string, read: Reader<V>): readonly V[] =>
    take(name, query.all(name), readAll(query.all(name), read)) ?? [];
  const filters = {
    endpointIds: many('endpoint_id', readUuid),
    startedAfter: one('start_timestamp', readAwareTime),
    startedBefore: one('end_timestamp', readAwareTime),
    succeeded: one('succeeded', readBoolean),
    query: query.last('query') ?? '',
    httpCodeClass: one('http_code_class', readChoice(httpCodeClasses)),
    eventTypes: many('event_type', readChoice(eventTypes)),
    ...more(take),
  };
  finish();
  return filters;
}

/** Reads the workspaces that a list is asked for, and whatever `more` reads. Throws the refusal with every problem. */
export function readWorkspaceIds<T>(
  query: Query,
  more: (take: Take) => T,
): { readonly workspaceIds: readonly string[] } & T {
  const { take, finish } = collector('query');
  const given = query.all('workspace_id');
  const read = { workspaceIds: take('workspace_id', given, readAll(given, readUuid)) ?? [], ...more(take) };
  finish();
  return read;
}

/** Takes what was read, or notes what is wrong with it. */
export type Take = <T>(name: string, input: unknown, read: Read<T>) => T | undefined;
