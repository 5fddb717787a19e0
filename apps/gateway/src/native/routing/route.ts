/**
 * A route is data: the same value drives the routing, the checks before the handler runs, and the OpenAPI document, so
 * that what is described is what is obeyed.
 *
 * By the time `handle` is called, these have passed, in this order: the key (401), its scope (403), path and query
 * parameters and preconditions (400), the body's size (413), its syntax, shape and meaning (400, all violations at once)
 * and the organisation that the caller acts for (404). Whatever `handle` throws is answered as a problem.
 */
import type { ErrorCode, Principal, Scope, Violation } from '@posthorn/models';
import type { CallOptions } from '@posthorn/rpc';
import type { Definition, Schema } from './schema.ts';
import type { QueryParameter } from './query.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The sections of the reference, in its order. */
export const tags = [
  'Organisations',
  'API keys',
  'Event types',
  'Endpoints',
  'Policies',
  'Encryption',
  'Filters',
  'Events',
  'Deliveries',
  'Replays',
  'Erasures',
  'Audit log',
] as const;
export type Tag = (typeof tags)[number];

/** An answer as a handler gives it: a JSON body, bytes as they are, or neither. */
export interface Answer<T = unknown> {
  readonly status: number;
  /** Written as JSON; a `Date` becomes RFC 3339 in UTC with milliseconds. */
  readonly body?: T;
  /** Written as they are, in place of `body`. */
  readonly bytes?: Uint8Array;
  /** `application/json` unless it says otherwise. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a route learns which organisation it is about. */
export type OrganisationMode =
  /** The key's own, or the one that an operator names in the header (or in the body, where the body has the field). */
  | 'required'
  /** As above, but an operator may leave it out: then `organisationId` is null and means all of them. */
  | 'optional'
  /** It isn't about one, or the handler finds out by itself with `call.organisationOf`. */
  | 'none';

/** The parameters of a path template: `/v1/endpoints/{id}` has `id`. */
export type PathParams<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name]: string } & PathParams<Rest>
  : unknown;

/** The values of query parameters by name; undefined for those that were left out. */
export type QueryValues<Q> = {
  readonly [K in keyof Q]: Q[K] extends QueryParameter<infer T> ? T | undefined : never;
};

/** One request, checked, as a handler sees it. */
export interface Call<
  Params = unknown,
  Query = unknown,
  Body = unknown,
  Organisation extends string | null = string | null,
> {
  readonly principal: Principal;
  readonly requestId: string;
  /** Decoded; not checked to be ids: an unknown id and something that can't be one are both not found. */
  readonly params: Params;
  readonly query: Query;
  /** What the body's schema describes; bytes where the route reads its body itself; undefined where there was none. */
  readonly body: Body;
  /** The body as it came, for what must be passed on as the very bytes that were sent. */
  readonly bodyBytes: Uint8Array;
  /** The id of the organisation, as the route's `organisation` says. */
  readonly organisationId: Organisation;
  /** The version that `If-Match` asks for; undefined where there was no such header, or where it is `*`. */
  readonly expectedVersion: bigint | undefined;
  /** To hand to an RPC client: principal, request id, deadline, trace. */
  readonly rpc: CallOptions;
  /** A request header, by its lower-case name. */
  header(name: string): string | undefined;
  /**
   * The id of the organisation that the caller acts for when it names `named` (id or slug) in its body. Rejects with
   * `not_found` for one that isn't the key's own, `invalid_argument` when an operator names none or contradicts the header.
   */
  organisationOf(named: string | undefined, field?: string): string | Promise<string>;
}

/** A JSON body that is read, parsed and checked before the handler runs. */
export interface JsonBody<B> {
  readonly schema: Schema<B>;
  /** Whether the body may be left out altogether; it is read as `{}` then. */
  readonly optional?: boolean;
  readonly description?: string;
  /** What the schema can't say, from libs/models. Gets the fields whose shape is right, so that all violations come at once. */
  readonly check?: (body: Partial<B>, params: Readonly<Record<string, string>>) => readonly Violation[];
  readonly examples?: Readonly<Record<string, Example>>;
}

/** A body that the handler reads itself: it gets the bytes, at most `maxBytes` of them. */
export interface RawBody {
  readonly raw: true;
  readonly maxBytes: number;
  readonly description?: string;
  /** For the document: media type to schema and examples. */
  readonly content: Readonly<Record<string, MediaType>>;
}

export interface MediaType {
  readonly schema: Schema<unknown> | Definition;
  readonly examples?: Readonly<Record<string, Example>>;
}

export interface Example {
  readonly summary: string;
  readonly value: unknown;
}

/** One of a route's answers when all went well. */
export interface AnswerDescription<T> {
  readonly description: string;
  /** None: the answer has no body. */
  readonly schema?: Schema<T>;
  /** For an answer that isn't JSON. */
  readonly content?: Readonly<Record<string, MediaType>>;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: Definition }>>;
  readonly examples?: Readonly<Record<string, Example>>;
}

/** What a route is made of, for everyone but its handler. */
export interface RouteDescription {
  readonly method: Method;
  /** In the form of OpenAPI: `/v1/endpoints/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: Tag;
  /** What the key must hold. */
  readonly scope: Scope;
  /** True where a key of an organisation is refused, whatever its scopes. */
  readonly operatorsOnly?: boolean;
  readonly organisation: OrganisationMode;
  /** With `organisation: 'none'`: the handler calls `organisationOf`, so the header counts although the framework doesn't ask for it. */
  readonly namesOrganisation?: boolean;
  readonly params?: Readonly<Record<string, { readonly description: string; readonly example?: string }>>;
  readonly query?: Readonly<Record<string, QueryParameter<unknown>>>;
  readonly body?: JsonBody<unknown> | RawBody;
  /** Answers `If-Match`: the handler passes `call.expectedVersion` on. */
  readonly ifMatch?: boolean;
  /** Answers `If-None-Match` with 304 when the answer's ETag is among those named. */
  readonly ifNoneMatch?: boolean;
  /**
   * Every POST answers `Idempotency-Key`: the first answer is kept and given again. `'own'` where the handler does it
   * itself (publishing). `redact` takes out what must be shown only once, or be kept in one place only.
   */
  readonly idempotency?: 'own' | { readonly redact: (body: unknown) => unknown };
  /** What it answers with when all went well, by status; and problems that have members of their own. */
  readonly answers: Readonly<Record<number, AnswerDescription<unknown>>>;
  /** Codes that this route answers with, beside those that follow from what is said above. */
  readonly errors?: readonly ErrorCode[];
  /** How long the RPCs of a call may take together; 10 s when absent. */
  readonly deadlineMs?: number;
}

/** A route as the gateway serves it. `handle` gets a call of exactly the shape that the description promises. */
export interface Route extends RouteDescription {
  handle(call: Call): Promise<Answer>;
}

interface OrganisationOf {
  required: string;
  optional: string | null;
  none: null;
}

/** A route as it is written down: `defineRoute` infers what the handler gets from what the description says. */
export interface RouteDefinition<
  P extends string,
  Q,
  B,
  O extends OrganisationMode,
  T,
> extends RouteDescription {
  readonly path: P;
  readonly organisation: O;
  readonly params?: { readonly [K in keyof PathParams<P>]: { description: string; example?: string } };
  readonly query?: Q & Readonly<Record<string, QueryParameter<unknown>>>;
  readonly body?: BodyOf<B>;
  readonly answers: Readonly<Record<number, AnswerDescription<T>>>;
  handle(call: Call<PathParams<P>, QueryValues<Q>, B, OrganisationOf[O]>): Promise<Answer<T>>;
}

type BodyOf<B> = JsonBody<B> | (RawBody & { readonly bytes?: B });

/** Checks a route's types and forgets them: the framework keeps the promises that they make. */
export function defineRoute<
  const P extends string,
  const O extends OrganisationMode,
  Q = Record<never, never>,
  B = undefined,
  T = undefined,
>(route: RouteDefinition<P, Q, B, O, T>): Route {
  return route;
}
