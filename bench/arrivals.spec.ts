import { join } from './arrivals.ts';
import type { Outcome } from './arrivals.ts';
import { firstEndpointOf, plannedEndpoints, scenarios, typeNames } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

const twoEndpoints: Scenario = {
  name: 'test',
  title: '',
  organisations: 1,
  types: 1,
  fanout: 2,
  hanging: 0,
  batch: 0,
  connections: 1,
  rate: 0,
  eventsPerSecond: 1,
  yardstick: 'bare loop',
};

/** Events 10 and 11, sent at 1,000 and 2,000 µs, accepted at 1,500 and 2,500 µs. */
const published = [10, 1, 1_000, 1_500, 11, 1, 2_000, 2_500];
const allArrived = [0, 10, 3_500, 1, 10, 4_500, 0, 11, 3_500, 1, 11, 12_500];

function outcome(rows: number[], arrived: number[], scenario = twoEndpoints): Outcome {
  return join(scenario, { first: 10, count: 2 }, Float64Array.from(rows), Float64Array.from(arrived));
}

describe('join', () => {
  it('counts every delivery of every accepted event, and measures from first sending to last arrival', () => {
    expect(outcome(published, allArrived)).toMatchObject({
      accepted: 2,
      deliveries: 4,
      missing: 0,
      duplicates: 0,
      stray: 0,
      acceptedPerSecond: 2 / 0.0015,
      deliveriesPerSecond: 4 / 0.0115,
      acceptToReceive: { p50Ms: 2, p99Ms: 10, maxMs: 10 },
      sendToReceive: { p50Ms: 2.5, maxMs: 10.5 },
    });
  });

  it('tells what is missing from what came twice', () => {
    const arrived = [0, 10, 3_500, 0, 10, 3_600, 1, 10, 4_500, 0, 11, 3_500];
    expect(outcome(published, arrived)).toMatchObject({ deliveries: 3, missing: 1, duplicates: 1 });
  });

  it('expects nothing of an event that was not accepted, and calls its arrival unexplained', () => {
    const refused = [10, 1, 1_000, 1_500, 11, 1, 2_000, 0];
    expect(outcome(refused, allArrived)).toMatchObject({ accepted: 1, deliveries: 2, missing: 0, stray: 2 });
  });

  it('calls an endpoint that the event is not for, and a payload without a number, unexplained', () => {
    expect(outcome(published, [...allArrived, 2, 10, 4_000, 0, -1, 4_000])).toMatchObject({
      deliveries: 4,
      stray: 2,
    });
  });

  it('leaves the warm-up out', () => {
    expect(outcome(published, [0, 9, 3_000, 1, 9, 3_000, ...allArrived])).toMatchObject({
      deliveries: 4,
      stray: 0,
    });
  });

  it('expects nothing of endpoints that hang', () => {
    const arrived = [1, 10, 4_500, 1, 11, 3_500];
    expect(outcome(published, arrived, { ...twoEndpoints, hanging: 1 })).toMatchObject({
      deliveries: 2,
      missing: 0,
    });
  });

  it('counts an arrival before the answer was read as no latency', () => {
    const early = [0, 10, 1_400, 1, 10, 1_400, 0, 11, 2_400, 1, 11, 2_400];
    expect(outcome(published, early).acceptToReceive.maxMs).toBe(0);
  });
});

describe('firstEndpointOf', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    'names endpoints of the organisation and the type that the publisher takes: %s',
    (_, scenario) => {
      const { organisations, types, fanout, batch } = scenario;
      const endpoints = plannedEndpoints(scenario);
      const size = Math.max(batch, 1);
      for (let event = 0; event < size * organisations * (types + 1); event += size) {
        const turn = event / size;
        const first = firstEndpointOf(event, scenario);
        const reached = endpoints.slice(first, first + fanout);
        expect(reached).toHaveLength(fanout);
        for (const { organisation, type } of reached) {
          expect(organisation).toBe(turn % organisations);
          expect(type).toBe(typeNames(scenario)[Math.floor(turn / organisations) % types]);
        }
      }
    },
  );
});
