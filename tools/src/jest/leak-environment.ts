/**
 * A test environment that fails a file whose tests leave something behind: a socket, a server, a timer, a child
 * process. Such a leftover would keep the process alive, make later tests flaky, or hide a resource that production
 * code forgets to close.
 *
 * Only what keeps the event loop alive counts: an idle keep-alive socket or an unref'ed timer doesn't. What is being
 * closed gets a moment to end. Sockets and servers that were left are let go of, so that they fail the file and don't
 * hang it as well.
 */
import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { describeLeaks, resourceCounts } from './leaks.ts';

/** How long what is being closed may take to end, where the configuration doesn't say (`testEnvironmentOptions.leakGraceMs`). */
const GRACE_MS = 1_000;
const POLL_MS = 10;

export default class LeakEnvironment extends TestEnvironment {
  readonly #graceMs: number;
  #before: ReadonlyMap<string, number> = new Map();

  constructor(...given: ConstructorParameters<typeof TestEnvironment>) {
    super(...given);
    const [config] = given;
    const { leakGraceMs } = config.projectConfig.testEnvironmentOptions;
    this.#graceMs = typeof leakGraceMs === 'number' ? leakGraceMs : GRACE_MS;
  }

  override async setup(): Promise<void> {
    await super.setup();
    this.#before = resourceCounts();
  }

  async handleTestEvent(event: Circus.AsyncEvent, state: Circus.State): Promise<void> {
    if (event.name !== 'run_finish') return;
    const deadline = performance.now() + this.#graceMs;
    let leaks = describeLeaks(this.#before);
    while (leaks !== null && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      leaks = describeLeaks(this.#before);
    }
    if (leaks !== null) state.unhandledErrors.push(new Error(`The tests left behind: ${leaks}`));
  }
}
