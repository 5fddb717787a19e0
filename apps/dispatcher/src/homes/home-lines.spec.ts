import type { SigningEndpoint } from '@posthorn/models';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';
import { createHomeLines, type Line } from './home-lines.ts';
import { createHomes } from './homes.ts';

const partitions = 12;
const sample = simulatedEndpoint({ organisationId: 'org' }, 1);
/** Without a home: its limit was lifted, or it never had one. */
const endpoint: SigningEndpoint = { ...sample, endpoint: { ...sample.endpoint, maxInFlight: 50 } };
const endpointId = endpoint.endpoint.id;
const homes = createHomes(() => partitions);
const home = homes.place(endpointId);
const line: Line = {
  organisationId: 'org',
  endpointId,
  partition: (home + 1) % partitions,
  epoch: 1,
  key: 'customer-1',
};

/** Lines of which nothing waits at the home, unless the test says so. */
function setUp() {
  const state = { waits: false, beforeAnswer: (): void => undefined };
  const lines = createHomeLines({
    deliveries: {
      async hasInOrder() {
        const seen = state.waits;
        await Promise.resolve();
        state.beforeAnswer();
        return seen;
      },
      promote: () => Promise.resolve(null),
      moveWaiting: () => Promise.resolve(0),
    },
    homes,
    endpointOf: () => endpoint,
    epochOf: () => 1,
  });
  return { state, lines };
}

describe('where a key waits that has no home any more', () => {
  it('is looked up once, and again when something was moved home since', async () => {
    const { state, lines } = setUp();
    expect(lines.placeOf(line, endpoint)).toBeNull();
    expect(await lines.lookUp(line)).toBe(line.partition);
    expect(lines.placeOf(line, endpoint)).toBe(line.partition);
    // Its limit was lowered, what waited went home, and the limit was lifted again.
    lines.moving(line, Promise.resolve());
    state.waits = true;
    expect(lines.placeOf(line, endpoint)).toBeNull();
    expect(await lines.lookUp(line)).toBe(home);
  });

  it('is not known by a look that began before something was moved home', async () => {
    const { state, lines } = setUp();
    state.beforeAnswer = () => lines.moving(line, Promise.resolve());
    await lines.lookUp(line);
    expect(lines.placeOf(line, endpoint)).toBeNull();
  });
});
