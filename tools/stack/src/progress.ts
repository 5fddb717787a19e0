/** Who is told what goes on while servers are fetched, built and started. */
export interface Progress {
  /** Something begins, or is to be known. */
  step(line: string): void;
  /** What a tool says meanwhile: there may be hundreds of lines a second. */
  detail(line: string): void;
}

export const silent: Progress = { step: () => {}, detail: () => {} };

/** Where a line goes. */
export interface ProgressOutput {
  readonly write: (text: string) => unknown;
  /** Of a terminal; undefined when it isn't one. */
  readonly columns?: number | undefined;
}

/** In a log, how often a detail is worth a line. */
const logIntervalMs = 15_000;

/** Shows steps as lines, and details as one line that is written over in a terminal, as a line now and then in a log. */
export function createProgress(
  output: ProgressOutput,
  now: () => number = () => performance.now(),
): Progress {
  const { columns } = output;
  let shownAt = now();
  let isOpen = false;
  return {
    step(line) {
      output.write(`${isOpen ? clearLine : ''}stack: ${line}\n`);
      isOpen = false;
      shownAt = now();
    },
    detail(line) {
      const text = line.trim();
      if (text === '') return;
      if (columns !== undefined) {
        output.write(`${clearLine}${`       ${text}`.slice(0, columns - 1)}`);
        isOpen = true;
      } else if (now() - shownAt >= logIntervalMs) {
        output.write(`       ${text}\n`);
        shownAt = now();
      }
    },
  };
}

const clearLine = '\r\u001b[2K';
