/**
 * A dialect: another product's API, served so that its clients work unchanged. How to write one, for all of them:
 *
 * 1. Each folder beside this file is one dialect and has the same files, so that who knows one knows them all: `dialect.ts` (the
 *    `Dialect`: paths, scheme, failures, routes), `routes.ts` (what is served, as data), `parse.ts` (bodies and parameters to values),
 *    `render.ts` (our resources to its bodies), `errors.ts` (failures to its answers), `paging.ts`, `openapi.ts` (its schemas).
 * 2. A dialect is a view of endpoints, policies, deliveries, attempts and tasks, and keeps nothing. What the model lacks, the model learns.
 * 3. `dialect-handler.ts` does the rest, in this order: path and method, credentials, scopes, rate limit, organisation, body, handler.
 *    Whatever goes wrong there, or is thrown by the handler, becomes a `Failure`, and `renderFailure` its answer: there is no other way.
 * 4. A handler returns an `Answer` or throws a `DomainError`; `invalid_argument` names fields by JSON pointer (`/url`), parameters as
 *    `?limit`, the body as a whole as the empty text. Where the original answers with what no code can say, it throws a `Refusal`.
 * 5. Bodies are JSON whatever the content type says. Fields and parameters that a dialect doesn't know are ignored.
 * 6. An id of another organisation, of another dialect, or of no form at all is unknown: it answers like any other unknown id.
 */
import type { DomainError, ErrorCode, Principal, Scope } from '@posthorn/models';
import type { CallOptions } from '@posthorn/rpc';
import type { Clock, Logger, Random } from '@posthorn/runtime';
import type { GatewayClients } from '../clients.ts';
import type { GatewayConfig } from '../config.ts';
import type { Answer, AnswerDescription, Example, Method, PathParams } from '../native/routing/route.ts';
import type { Definition, Schema } from '../native/routing/schema.ts';
import type { OrganisationLookup } from '../organisation-lookup.ts';
import type { Query } from './query.ts';
import type { DialectName } from './prefixes.ts';
import type { DialectSettings } from './settings.ts';

/** How a key is sent: `Token <key>`, `Bearer <key>`, or Basic with the key as the user. */
export type CredentialScheme = 'token' | 'bearer' | 'basic';

/** What a dialect is made of. */
export interface DialectDeps {
  readonly clients: GatewayClients;
  readonly config: Pick<GatewayConfig, 'urlPolicy'>;
  readonly settings: DialectSettings;
  readonly organisations: OrganisationLookup;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** See the head of this file. */
export interface Dialect {
  readonly name: DialectName;
  readonly basePaths: readonly string[];
  readonly schemes: readonly CredentialScheme[];
  /** What is accepted of a path beside the path itself. */
  readonly accepts?: { readonly trailingSlash?: boolean; readonly jsonSuffix?: boolean };
  readonly organisation: {
    /** The headers that may name it (lower case); none where requests name it in their own way, with `call.organisationOf`. */
    readonly headers: readonly string[];
    /** What one that isn't the key's, or isn't there, is answered as. */
    readonly unknown: ErrorCode;
  };
  readonly limit?: RequestLimit;
  readonly routes: readonly DialectRoute[];
  readonly reference: DialectReference;
  renderFailure(failure: Failure): Answer;
}

/** How many requests a key may send. */
export interface RequestLimit {
  /** Counts a request; throws `rate_limited` when it is one too many. */
  admit(principal: Principal): void;
  /** What every answer says about it; the principal is null where none is known. */
  headers(principal: Principal | null): Readonly<Record<string, string>>;
}

/** What the OpenAPI document says about a dialect beside its routes. */
export interface DialectReference {
  /** The section's name, and what it says before its routes. */
  readonly tag: string;
  readonly description: string;
  /** Security schemes by name; a request needs one of them. */
  readonly security: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Headers that requests may carry. */
  readonly headers?: Readonly<Record<string, ParameterDescription>>;
  /** Answers that every route may give, by status: the dialect's errors. Unknown routes answer with the schema `<Name>Error`. */
  readonly failures: Readonly<Record<number, AnswerDescription<unknown>>>;
}

export interface ParameterDescription {
  readonly description: string;
  readonly schema: Definition;
}

/** What a route is made of, for everyone but its handler. */
export interface DialectRouteDescription {
  readonly method: Method;
  /** Below the base path, in the form of OpenAPI and without a slash at its end: `/configs/webhook/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** All that the key must hold. */
  readonly scopes: readonly Scope[];
  readonly params?: Readonly<Record<string, ParameterDescription>>;
  readonly query?: Readonly<Record<string, ParameterDescription>>;
  /** Read and parsed as JSON; a route without one doesn't read what was sent. */
  readonly body?: {
    readonly schema: Schema<unknown> | Definition;
    readonly required?: boolean;
    readonly examples?: Readonly<Record<string, Example>>;
  };
  /** Its answers when all went well, by status, and failures that only it has. */
  readonly answers: Readonly<Record<number, AnswerDescription<unknown>>>;
  /** How long the RPCs of a call may take together; 10 s when absent. */
  readonly deadlineMs?: number;
  /** A GET that does something: HEAD, which asks for nothing, isn't served by it. */
  readonly isUnsafe?: boolean;
  /** Never succeeds, so that the reference leaves it out: it tells its failures apart better than an unknown route would. */
  readonly onlyFails?: boolean;
}

export interface DialectRoute extends DialectRouteDescription {
  handle(call: DialectCall): Answer | Promise<Answer>;
}

/** A route as it is written down: the handler's parameters are those of its path. */
export function defineDialectRoute<const P extends string>(
  route: DialectRouteDescription & {
    readonly path: P;
    handle(call: DialectCall<PathParams<P>>): Answer | Promise<Answer>;
  },
): DialectRoute {
  return route;
}

/** One request that may be carried out. */
export interface DialectCall<Params = unknown> {
  readonly principal: Principal;
  readonly requestId: string;
  /** Decoded, never empty; not checked to be ids. */
  readonly params: Params;
  readonly query: Query;
  /** The parsed body; undefined where none was sent. */
  readonly body: unknown;
  /** The organisation to act for: the key's own, or the one named in a header; null for an operator who named none. */
  readonly organisationId: string | null;
  readonly rpc: CallOptions;
  /** The path as it was sent, base path included, without its query. */
  readonly path: string;
  /** What absolute links begin with: `https://hooks.example.com`. */
  readonly publicUrl: string;
  /** A request header, by its lower-case name. */
  header(name: string): string | undefined;
  /** The id of an organisation that the request names otherwise (id or slug). Rejects with `not_found` unless the key may act for it. */
  organisationOf(named: string): Promise<string>;
}

/** A request that isn't carried out, and what is known of it. */
export interface Failure {
  readonly error: DomainError;
  readonly method: string;
  /** Null where there is no such route: the error is then `not_found`, or `method_not_allowed`. */
  readonly route: DialectRouteDescription | null;
  /** The methods of the path, where it has others than this one. */
  readonly allow: readonly string[];
  /** Whether there was anything in the Authorization header. */
  readonly hasCredentials: boolean;
}

/** Thrown by a handler that knows the very answer: what no error code can say. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}
