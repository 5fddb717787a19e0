/**
 * What a service has acquired, each thing with its release registered on the next line. Closing releases in reverse order,
 * one after the other; a release that fails or takes too long is logged and the next one runs all the same.
 */
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface LifecycleOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** The most that a single release may take. */
  readonly stepTimeoutMs: number;
  /** The most that all of them may take together; what is left then isn't waited for. */
  readonly totalTimeoutMs: number;
}

export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #releases: { readonly name: string; readonly release: () => unknown }[] = [];
  #closing: Promise<boolean> | undefined;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** Releasing has begun: what is still being acquired is of no use any more. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** Registers the release of what was just acquired; released at once when the lifecycle is being closed already. */
  defer(name: string, release: () => unknown): void {
    this.#releases.push({ name, release });
    if (this.#closing !== undefined) this.#closing = this.#closing.then(() => this.#releaseAll());
  }

  /** Releases everything; true when all of it went well and in time. Never rejects; a second call waits for the first. */
  close(): Promise<boolean> {
    this.#closing ??= this.#releaseAll();
    return this.#closing;
  }

  async #releaseAll(): Promise<boolean> {
    const { clock, totalTimeoutMs } = this.#options;
    const endsAt = clock.monotonic() + totalTimeoutMs;
    let clean = true;
    for (let step = this.#releases.pop(); step !== undefined; step = this.#releases.pop()) {
      const released = await this.#release(step.name, step.release, endsAt - clock.monotonic());
      clean = clean && released;
    }
    return clean;
  }

  async #release(name: string, release: () => unknown, remainingMs: number): Promise<boolean> {
    const { clock, logger, stepTimeoutMs } = this.#options;
    const timeoutMs = Math.max(Math.min(stepTimeoutMs, remainingMs), 0);
    const startedAt = clock.monotonic();
    const outcome = await new Promise<'released' | 'timeout' | { error: unknown }>((resolve) => {
      const timer = clock.setTimeout(() => resolve('timeout'), timeoutMs);
      Promise.resolve()
        .then(release)
        .then(
          () => resolve('released'),
          (error: unknown) => resolve({ error }),
        )
        .finally(() => clock.clearTimeout(timer));
    });
    const fields = { step: name, durationMs: Math.round(clock.monotonic() - startedAt) };
    if (outcome === 'released') logger.debug(fields, 'released');
    else if (outcome === 'timeout') logger.error(fields, 'not released in time');
    else logger.error({ ...fields, err: outcome.error }, 'could not be released');
    return outcome === 'released';
  }
}
