import { DomainError } from '../errors.ts';

/** How many values may be looked at: some tenths of a second. */
const maxEffort = 20_000_000;

/**
 * What it may cost to ask filters about one payload, all those of an organisation together. Filters and payloads are the tenants', and one
 * thread asks for everybody: within their own bounds, ten thousand filters could keep it for many minutes.
 */
export class MatchEffort {
  private left: number;

  constructor(values = maxEffort) {
    this.left = values;
  }

  /** Counts values that are looked at. Throws `failed_precondition` when they are too many. */
  spend(values: number): void {
    this.left -= values;
    if (this.left >= 0) return;
    const message = `Filters look at ${maxEffort} values of a payload at most, all those of an organisation together.`;
    throw new DomainError('failed_precondition', message);
  }
}
