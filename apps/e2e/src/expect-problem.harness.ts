import type { RestAnswer } from './rest-client.ts';

export interface ProblemAnswer {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly violations?: readonly {
    readonly field: string;
    readonly code: string;
    readonly message: string;
  }[];
}

/**
 * Expects an error as every error is answered: problem+json with the request's id, for people and for programs, with nothing of
 * our insides in it; and, where `fields` are named, violations of exactly these fields.
 */
export function expectProblem(
  answer: RestAnswer<unknown>,
  [status, code]: readonly [status: number, code: string],
  fields?: readonly string[],
): ProblemAnswer {
  expect(`${answer.status} ${answer.text}`).toMatch(new RegExp(`^${status} .*"code":"${code}"`));
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = answer.body as ProblemAnswer;
  expect(problem).toMatchObject({
    type: expect.stringContaining(code),
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/./),
    requestId: answer.headers.get('x-request-id'),
  });
  expect(answer.text).not.toMatch(/\bat .*\.ts:|node:internal|node_modules|SQLITE|sqlite/);
  if (fields !== undefined) {
    expect((problem.violations ?? []).map(({ field }) => field).toSorted()).toEqual(fields.toSorted());
    for (const { code: kind, message } of problem.violations ?? []) expect(kind && message).toMatch(/./);
  }
  return problem;
}
