/** What can go wrong between the command line and the API: it refused, it failed, or it wasn't there. */
import { parseRetryAfter, type Violation } from '@posthorn/models';
import { CliError, exitCodes } from '../exit-codes.ts';
import { printable } from '../terminal/printable.ts';

/** The API's `application/problem+json`. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title?: string;
  readonly detail?: string;
  readonly requestId?: string;
  readonly violations?: readonly Violation[];
  /** With `unavailable` on a publish: the id to publish the event again with. */
  readonly id?: string;
}

/** The API answered with a status that isn't 2xx. */
export class ApiError extends CliError {
  override readonly name = 'ApiError';
  readonly problem: Problem;
  /** From Retry-After; undefined when the answer had none. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(
      problem.status < 500 ? exitCodes.refused : exitCodes.unavailable,
      describe(problem),
      detailsOf(problem),
    );
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** Reads a problem document; an answer that isn't one (a proxy's page) becomes a problem with what is known. */
  static fromAnswer(
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: string,
    now: Date,
  ): ApiError {
    const requestId = single(headers['x-request-id']);
    return new ApiError(
      {
        code: `http_${status}`,
        detail: body.slice(0, 500) || `HTTP ${status} without an explanation.`,
        ...(requestId !== undefined && { requestId }),
        ...problemOf(body),
        status,
      },
      parseRetryAfter(single(headers['retry-after']), now) ?? undefined,
    );
  }

  override toJSON(): object {
    return { error: this.problem };
  }
}

/** No answer came, or none that makes sense. */
export class UnreachableError extends CliError {
  override readonly name = 'UnreachableError';

  constructor(url: string, reason: string, cause?: unknown) {
    super(exitCodes.unavailable, `The Posthorn API at ${url} can't be reached: ${reason}.`);
    this.cause = cause;
  }
}

/** Whether there wasn't even a connection: a wrong address, most likely, when it is the first thing that happens. */
export function isNobodyThere(error: unknown): boolean {
  if (!(error instanceof UnreachableError)) return false;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(cause?.code ?? '');
}

/** Whether the same request may well succeed later: the API was away, overloaded, or asked to slow down. */
export function isTransient(error: unknown): error is ApiError | UnreachableError {
  return (
    error instanceof UnreachableError ||
    (error instanceof ApiError && (error.problem.status >= 500 || error.problem.status === 429))
  );
}

/** A problem in one line, for people. */
export function describe(problem: Problem): string {
  return printable(`${problem.code}: ${problem.detail ?? problem.title ?? `HTTP ${problem.status}`}`);
}

function detailsOf(problem: Problem): string[] {
  const violations = problem.violations ?? [];
  const width = Math.max(0, ...violations.map(({ field }) => field.length));
  return [
    ...violations.map(
      ({ field, code, message }) =>
        `  ${printable(field.padEnd(width))}  ${printable(message)} (${printable(code)})`,
    ),
    ...(problem.status === 401 ? ['Pass a key with --key or POSTHORN_KEY.'] : []),
    ...(problem.requestId ? [`HTTP ${problem.status}, request ${printable(problem.requestId)}`] : []),
  ];
}

function problemOf(body: string): Partial<Problem> {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && 'code' in parsed
      ? (parsed as Partial<Problem>)
      : {};
  } catch {
    return {};
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
