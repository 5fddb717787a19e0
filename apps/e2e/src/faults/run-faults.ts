/** Runs faults one after the other, each under a load of its own; those with the same surroundings share a platform. */
import { startLoadOnTenant } from '../load/load-on-tenant.ts';
import type { Circumstances, Fault } from './fault.ts';
import { CannotBreakError, receiverName, type Subject, type Surroundings } from './subject.ts';

/** What came of one fault. */
export interface FaultResult {
  readonly subject: string;
  readonly fault: string;
  /** Null when it couldn't be tried, or ended in an error. */
  readonly counts: FaultCounts | null;
  /** Why there are no counts; null when there are. */
  readonly problem: string | null;
  /** Whether this machine can't offer what it takes. */
  readonly isUntried: boolean;
}

export interface FaultCounts {
  readonly accepted: number;
  /** Of the accepted, to every endpoint that was to get them. */
  readonly delivered: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly secondsToRecover: number;
}

export interface Suite<S extends Subject> {
  readonly subject: string;
  readonly faults: readonly Fault<S>[];
  readonly start: (surroundings: Surroundings) => Promise<S>;
}

export interface RunOptions {
  readonly pace: Omit<Circumstances, 'run'>;
  readonly onResult: (result: FaultResult) => void;
}

const load = { refuseShare: 0.03, answerMs: 100, plainSendAgain: false };
const eventsBefore = 100;

/** Nothing was lost, and nothing that has an order was overtaken. */
export function isGood({ counts, isUntried }: FaultResult): boolean {
  return isUntried || (counts !== null && counts.lost === 0 && counts.outOfOrder === 0);
}

export async function runSuite<S extends Subject>(suite: Suite<S>, options: RunOptions): Promise<void> {
  const bySurroundings = Map.groupBy(suite.faults, ({ surroundings }) => surroundings);
  for (const [surroundings, faults] of bySurroundings) {
    const report = (fault: Fault<S>, result: Omit<FaultResult, 'subject' | 'fault'>): void =>
      options.onResult({ subject: suite.subject, fault: fault.name, ...result });
    let subject: S;
    try {
      subject = await suite.start(surroundings);
    } catch (error) {
      const isUntried = error instanceof CannotBreakError;
      for (const fault of faults) report(fault, { counts: null, problem: messageOf(error), isUntried });
      continue;
    }
    try {
      for (const fault of faults) report(fault, await runFault(fault, subject, options.pace));
    } finally {
      await subject.dispose();
    }
  }
}

async function runFault<S extends Subject>(
  fault: Fault<S>,
  subject: S,
  pace: RunOptions['pace'],
): Promise<Omit<FaultResult, 'subject' | 'fault'>> {
  const host = fault.callsByName === true ? { host: receiverName } : {};
  try {
    return await subject.explain(async () => {
      const run = await startLoadOnTenant(subject.platform, { ...load, ...host });
      try {
        await run.untilDelivered(eventsBefore);
        const { toRecover } = await run.recover(() => fault.happen(subject, { ...pace, run }));
        await run.finish();
        const { ordered, all } = run;
        const [accepted, lost] = [run.load.accepted.length, run.missing.length];
        const outOfOrder = ordered.overtakings().length;
        const duplicates = ordered.duplicates + all.duplicates;
        const counts = { accepted, delivered: accepted - lost, lost, duplicates, outOfOrder };
        return { counts: { ...counts, secondsToRecover: toRecover }, problem: null, isUntried: false };
      } catch (error) {
        throw new Error(`${messageOf(error)}\n${run.summary()}`, { cause: error });
      } finally {
        await run.close();
      }
    });
  } catch (error) {
    return { counts: null, problem: messageOf(error), isUntried: false };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
