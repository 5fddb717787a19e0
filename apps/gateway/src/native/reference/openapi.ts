/**
 * The OpenAPI 3.1 document, made from the routes that are served: paths, parameters, bodies, and the errors that follow
 * from what a route takes. Nothing is described twice, so nothing can be described wrongly.
 */
import type { ErrorCode } from '@posthorn/models';
import { openApiDescription, tagDescriptions } from './openapi-text.ts';
import { problemKinds } from '../routing/problem.ts';
import type { OpenRoute } from '../routing/open-route.ts';
import {
  tags,
  type AnswerDescription,
  type Example,
  type JsonBody,
  type MediaType,
  type Method,
  type RawBody,
  type RouteDescription,
} from '../routing/route.ts';
import { problemSchema } from '../schemas/problem.ts';
import { collectDefinitions, toPlainSchema, type Definition, type Schema } from '../routing/schema.ts';

type Json = Record<string, unknown>;

export interface OpenApiOptions {
  readonly routes: readonly RouteDescription[];
  readonly openRoutes: readonly OpenRoute[];
  /** Other APIs that are served beside this one. */
  readonly sections: readonly OpenApiSection[];
  readonly version: string;
  /** Where the API is served. */
  readonly serverUrl: string;
}

/** Another API in the same document, with names, credentials and errors of its own. */
export interface OpenApiSection {
  readonly tag: string;
  readonly description: string;
  readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly operations: readonly SectionOperation[];
}

export interface SectionOperation {
  readonly method: Method;
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  /** One of these is needed. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'header' | 'path' | 'query';
    readonly description: string;
    readonly schema: Definition;
  }[];
  readonly body: (MediaType & { readonly required?: boolean | undefined }) | undefined;
  readonly answers: Readonly<Record<number, AnswerDescription<unknown>>>;
}

const root = '#/components/schemas/';

/** The document as plain JSON. */
export function openApiDocument({ routes, openRoutes, sections, version, serverUrl }: OpenApiOptions): Json {
  const paths: Record<string, Json> = {};
  const add = (path: string, method: string, operation: Json): void => {
    (paths[path] ??= {})[method] = operation;
  };
  for (const route of routes) add(route.path, route.method, operationOf(route));
  for (const route of openRoutes)
    for (const method of route.methods ?? openMethods)
      add(route.path, method, openOperationOf(route, method));
  for (const section of sections)
    for (const operation of section.operations)
      add(operation.path, operation.method, sectionOperationOf(section, operation));

  return {
    openapi: '3.1.1',
    info: {
      title: 'Posthorn API',
      version,
      summary: 'Publish an event once; every endpoint that asked for it gets it, signed and retried.',
      description: openApiDescription,
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl }],
    security: [{ apiKey: [] }],
    tags: [
      ...[...tags, 'Operation' as const].map((name) => ({ name, description: tagDescriptions[name] })),
      ...sections.map(({ tag, description }) => ({ name: tag, description })),
    ],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: `Authorization: Bearer phk_…`.' },
        ...Object.fromEntries(sections.flatMap(({ securitySchemes }) => Object.entries(securitySchemes))),
      },
      parameters: usedParameters(routes),
      headers: { RequestId: requestIdHeader },
      schemas: Object.fromEntries(collectDefinitions(schemasOf(routes, openRoutes, sections), root)),
    },
  };
}

function operationOf(route: RouteDescription): Json {
  const needs = `Needs the scope \`${route.scope}\`${route.operatorsOnly === true ? ' and an operator key' : ''}.`;
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: [route.description, needs].filter((text) => text !== undefined).join('\n\n'),
    tags: [route.tag],
    ...listUnlessEmpty('parameters', [...headerParametersOf(route), ...ownParametersOf(route)]),
    ...(route.body !== undefined && { requestBody: requestBodyOf(route.body) }),
    // A route may describe one of its problems better than the table does.
    responses: { ...problemsOf(route), ...answersOf(route) },
  };
}

const openMethods = ['get'] as const;

function openOperationOf(route: OpenRoute, method: Method): Json {
  const [first] = route.methods ?? openMethods;
  return {
    // Names are unique: the first method has the route's own.
    operationId: method === first ? route.operationId : `${route.operationId}By${capitalised(method)}`,
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: ['Operation'],
    security: [],
    ...listUnlessEmpty('parameters', ownParametersOf(route)),
    responses: {
      ...problemsWith([...(route.errors ?? []), 'method_not_allowed']),
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, answer]) => [status, answerOf(answer)]),
      ),
    },
  };
}

function sectionOperationOf({ tag }: OpenApiSection, operation: SectionOperation): Json {
  const { operationId, summary, description, security, parameters, body, answers } = operation;
  return {
    operationId,
    summary,
    description,
    tags: [tag],
    security,
    ...listUnlessEmpty(
      'parameters',
      parameters.map((parameter) => ({
        ...parameter,
        ...(parameter.in === 'path' && { required: true }),
        schema: plain(parameter.schema),
      })),
    ),
    ...(body !== undefined && {
      requestBody: { required: body.required === true, content: contentOf({ 'application/json': body }) },
    }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)]),
    ),
  };
}

const requestIdHeader = {
  description: 'Names the request in our logs: the one that you sent, or a new one.',
  schema: { type: 'string' },
} as const;

const headerParameters = {
  Organisation: {
    name: 'Posthorn-Organisation',
    in: 'header',
    description:
      'The organisation to act for, by id or slug. Operator keys only: any other key implies its own.',
    schema: { type: 'string' },
    example: 'acme',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Any text of your own. The same key with the same request within 24 hours gets the same answer (without a secret that it showed, and with `Idempotency-Replayed: true`); with another request it is a 409.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'The `ETag` that you have seen: when it has changed in the meantime, nothing is done (412).',
    schema: { type: 'string' },
    example: '"3"',
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description:
      'The `ETag` that you have: when it is still the current one, the answer is 304 without a body.',
    schema: { type: 'string' },
    example: '"3"',
  },
} as const;

type HeaderParameter = keyof typeof headerParameters;

function headersTakenBy(route: RouteDescription): readonly HeaderParameter[] {
  const taken: Record<HeaderParameter, boolean> = {
    Organisation: route.organisation !== 'none' || route.namesOrganisation === true,
    IdempotencyKey: route.method === 'post',
    IfMatch: route.ifMatch === true,
    IfNoneMatch: route.ifNoneMatch === true,
  };
  return (Object.keys(taken) as HeaderParameter[]).filter((name) => taken[name]);
}

function headerParametersOf(route: RouteDescription): Json[] {
  return headersTakenBy(route).map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function usedParameters(routes: readonly RouteDescription[]): Json {
  const used = new Set(routes.flatMap(headersTakenBy));
  return Object.fromEntries(
    Object.entries(headerParameters).filter(([name]) => used.has(name as HeaderParameter)),
  );
}

function ownParametersOf(route: {
  readonly params?: NonNullable<RouteDescription['params']>;
  readonly query?: Readonly<Record<string, { readonly description: string; readonly schema: Definition }>>;
}): Json[] {
  const inPath = Object.entries(route.params ?? {}).map(([name, { description, example }]) => ({
    name,
    in: 'path',
    required: true,
    description,
    schema: { type: 'string' },
    ...(example !== undefined && { example }),
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, { description, schema }]) => ({
    name,
    in: 'query',
    description,
    schema: plain(schema),
  }));
  return [...inPath, ...inQuery];
}

function requestBodyOf(body: JsonBody<unknown> | RawBody): Json {
  const described = body.description !== undefined && { description: body.description };
  if ('raw' in body) return { ...described, required: true, content: contentOf(body.content) };
  const { schema, examples } = body;
  return {
    ...described,
    required: body.optional !== true,
    content: contentOf({ 'application/json': { schema, ...(examples !== undefined && { examples }) } }),
  };
}

function answersOf(route: RouteDescription): Json {
  const answers = Object.entries(route.answers).map(
    ([status, answer]) => [status, answerOf(answer)] as const,
  );
  const unchanged = { description: 'It is still what you have.', headers: { 'X-Request-Id': requestIdRef } };
  return { ...Object.fromEntries(answers), ...(route.ifNoneMatch === true && { '304': unchanged }) };
}

const requestIdRef = { $ref: '#/components/headers/RequestId' } as const;

function answerOf({ description, schema, content, headers, examples }: AnswerDescription<unknown>): Json {
  const media =
    content ?? (schema && { 'application/json': { schema, ...(examples !== undefined && { examples }) } });
  return {
    description,
    headers: { 'X-Request-Id': requestIdRef, ...headers },
    ...(media !== undefined && { content: contentOf(media) }),
  };
}

function contentOf(content: Readonly<Record<string, MediaType>>): Json {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, examples }]) => [
      type,
      { schema: plain(schema), ...(examples !== undefined && { examples: examplesOf(examples) }) },
    ]),
  );
}

function examplesOf(examples: Readonly<Record<string, Example>>): Json {
  return Object.fromEntries(
    Object.entries(examples).map(([name, { summary, value }]) => [name, { summary, value }]),
  );
}

/** Every error code that a route can answer with: what follows from its description, and what it says itself. */
function errorCodesOf(route: RouteDescription): ReadonlySet<ErrorCode> {
  const codes = new Set<ErrorCode>(['invalid_argument', 'unauthenticated', 'permission_denied']);
  if (route.organisation !== 'none' || route.path.includes('{')) codes.add('not_found');
  if (route.body !== undefined || route.method === 'post') codes.add('payload_too_large');
  if (route.ifMatch === true) codes.add('version_conflict');
  if (route.method === 'post') codes.add('idempotency_mismatch').add('failed_precondition');
  for (const code of route.errors ?? []) codes.add(code);
  return codes.add('internal').add('unavailable').add('deadline_exceeded');
}

function problemsOf(route: RouteDescription): Json {
  return problemsWith(errorCodesOf(route));
}

function problemsWith(errors: Iterable<ErrorCode>): Json {
  const byStatus = Map.groupBy(errors, (code) => String(problemKinds[code].status));
  return Object.fromEntries([...byStatus].map(([status, codes]) => [status, problemAnswerOf(codes)]));
}

function problemAnswerOf(codes: readonly ErrorCode[]): Json {
  const waits = codes.some((code) => code === 'unavailable' || code === 'failed_precondition');
  return {
    description: codes.map((code) => `\`${code}\`: ${problemKinds[code].title}`).join(' '),
    headers: {
      'X-Request-Id': requestIdRef,
      ...(waits && {
        'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
      }),
    },
    content: contentOf({ 'application/problem+json': { schema: problemSchema } }),
  };
}

function schemasOf(
  routes: readonly RouteDescription[],
  openRoutes: readonly OpenRoute[],
  sections: readonly OpenApiSection[],
): readonly (Schema<unknown> | Definition)[] {
  const inContent = (content: Readonly<Record<string, MediaType>> = {}): (Schema<unknown> | Definition)[] =>
    Object.values(content).map(({ schema }) => schema);
  const inAnswers = (answers: RouteDescription['answers']): (Schema<unknown> | Definition)[] =>
    Object.values(answers).flatMap(({ schema, content }) => [
      ...(schema ? [schema] : []),
      ...inContent(content),
    ]);
  const inBody = (body: RouteDescription['body']): (Schema<unknown> | Definition)[] =>
    body === undefined ? [] : 'raw' in body ? inContent(body.content) : [body.schema];
  return [
    ...routes.flatMap((route) => [...inBody(route.body), ...inAnswers(route.answers)]),
    ...openRoutes.flatMap((route) => inAnswers(route.answers)),
    ...sections.flatMap(({ operations }) =>
      operations.flatMap(({ body, answers }) => [...(body ? [body.schema] : []), ...inAnswers(answers)]),
    ),
    problemSchema,
  ];
}

function plain(schema: Schema<unknown> | Definition): Json {
  return { ...toPlainSchema(schema, root, () => undefined) };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function listUnlessEmpty(name: string, list: readonly unknown[]): Json {
  return list.length === 0 ? {} : { [name]: list };
}
