/**
 * What every transport must do, so that a service doesn't know how it is reached. Run over each of them by
 * `in-process.spec.ts` and `network.spec.ts`.
 */
import { describeStreams } from './calls/stream.contract.ts';
import type { OpenTransport } from './transport.harness.ts';
import { describeUnaryCalls } from './calls/unary.contract.ts';

/** Registers the suite for one transport. */
export function describeTransport(name: string, openTransport: OpenTransport): void {
  describe(`a service ${name}`, () => {
    describeUnaryCalls(openTransport);
    describeStreams(openTransport);
  });
}
