import { createMetrics, silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { directoryOf } from '../lanes/lanes.harness.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';
import { createHomecoming } from './homecoming.ts';
import { createHomes } from './homes.ts';

/** One place: its home alone sends to it. */
const sample = simulatedEndpoint({ organisationId: 'org' }, 1);
const endpoint = { ...sample, endpoint: { ...sample.endpoint, maxInFlight: 1 } };
const { id: endpointId } = endpoint.endpoint;

it('tells the lines while it moves strays home, also when that fails', async () => {
  const clock = new FakeClock();
  const homes = createHomes(() => 2);
  const away = 1 - homes.place(endpointId);
  const holding = { ...sampleHolding(), partition: away };
  const steps: string[] = [];
  const homecoming = createHomecoming({
    deliveries: {
      takeArrivals: () => Promise.resolve([]),
      moveWaiting({ from, to }) {
        steps.push(`move ${from.join()} to ${to}`);
        return Promise.reject(new Error('the store is away'));
      },
    },
    homes,
    lines: {
      moving({ partition }, until) {
        steps.push(`moving ${partition}`);
        until.catch(() => steps.push('ended'));
      },
    },
    directory: directoryOf(new Map([[endpointId, endpoint]])),
    ownership: { held: () => [holding], find: () => holding },
    lanes: () => {
      throw new Error('nothing has come');
    },
    clock,
    logger: silentLogger,
    metrics: createMetrics(),
  });
  homecoming.start();
  homecoming.stray('org', endpointId);
  await clock.advanceAsync(1000);
  homecoming.stop();
  expect(steps).toEqual([`move ${away} to ${1 - away}`, `moving ${away}`, 'ended']);
});
