/** Commands that take several ids: each is tried, whatever becomes of the others. */
import { ApiError } from '../client/api-error.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';

/**
 * Runs the action for each id in order. With one id, its refusal is the command's; with several, each refusal is told and
 * the exit code is 1 when there was any. What isn't a refusal of that one id ends it at once.
 */
export async function forEachId(
  { output }: Pick<Session, 'output'>,
  ids: readonly string[],
  action: (id: string) => Promise<void>,
): Promise<ExitCode> {
  let refused = 0;
  for (const id of ids) {
    try {
      await action(id);
    } catch (error) {
      const isOfThisId = error instanceof ApiError && [400, 404, 409].includes(error.problem.status);
      if (ids.length === 1 || !isOfThisId) throw error;
      refused += 1;
      output.note(`${id}: ${error.message}`);
    }
  }
  return refused > 0 ? exitCodes.failure : exitCodes.ok;
}
