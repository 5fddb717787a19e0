/** What a benchmark has started is ended however the benchmark ends, by Ctrl-C as well. */

export interface Ending {
  /** Is done at the end; what was said last comes first. */
  onEnd(release: () => unknown): void;
  /** By Ctrl-C or SIGTERM: what fails from then on is no failure. */
  readonly interrupted: AbortSignal;
}

/** Does the work, then what it wants done at the end. When it is interrupted, the process ends with 130. */
export async function withEnding(work: (ending: Ending) => Promise<void>): Promise<void> {
  const releases: (() => unknown)[] = [];
  const interruption = new AbortController();
  let ending: Promise<void> | undefined;
  const releaseAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const release of releases.toReversed()) {
      try {
        await release();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  const end = (): Promise<void> => (ending ??= releaseAll());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // More than once: npm passes on what the terminal has sent already.
    process.on(signal, () => {
      interruption.abort();
      void end().finally(() => process.exit(130));
    });
  }
  try {
    await work({ onEnd: (release) => void releases.push(release), interrupted: interruption.signal });
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
  } finally {
    await end();
  }
}
