/** What the `posthorn` command's exit code says; stable, so that scripts may rely on it. */
export const exitCodes = {
  ok: 0,
  /** It ran, and something of it failed: an event was refused, a test delivery wasn't accepted. */
  failure: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The API refused the request (4xx). */
  refused: 3,
  /** The API couldn't be reached, or answered 5xx. */
  unavailable: 4,
  /** Ctrl-C before the work was done. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The last paragraph of every command's help. */
export const exitCodesHelp = `
Exit codes:
  0    done
  1    it ran, and something of it failed
  2    the command line is wrong
  3    the API refused the request (4xx)
  4    the API couldn't be reached, or answered 5xx
  130  interrupted before the work was done`;

/** A failure that ends the command, with a message for the person who typed it and the exit code for their script. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: ExitCode;
  /** Printed below the message, a line each. */
  readonly details: readonly string[];

  constructor(exitCode: ExitCode, message: string, details: readonly string[] = []) {
    super(message);
    this.exitCode = exitCode;
    this.details = details;
  }

  /** What `--json` prints on standard error. */
  toJSON(): object {
    return { error: { message: this.message, ...(this.details.length > 0 && { details: this.details }) } };
  }
}
