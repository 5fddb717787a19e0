/** What is measured: who publishes how, and what it fans out to. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Each has a key of its own, and its own endpoints. */
  readonly organisations: number;
  /** Event types of an organisation; each endpoint names one. */
  readonly types: number;
  /** Endpoints of a type: deliveries of an event. */
  readonly fanout: number;
  /** How many of a type's endpoints take requests and never answer. Their deliveries aren't counted. */
  readonly hanging: number;
  /** Events in a request; 0: single publishes. */
  readonly batch: number;
  readonly connections: number;
  /** Requests a second in an open loop; 0: a closed one, each connection as fast as it gets answers. */
  readonly rate: number;
  /** Events in a second of `--seconds`: about what the platform does, so that the work is the same for all. */
  readonly eventsPerSecond: number;
  /** What it is compared with: the bare loop, or the platform itself without the hang. */
  readonly yardstick: 'bare loop' | 'none hangs';
}

const closedLoop = {
  organisations: 1,
  types: 1,
  fanout: 1,
  hanging: 0,
  batch: 0,
  connections: 50,
  rate: 0,
  yardstick: 'bare loop',
} as const;

function openLoop(rate: number): Scenario {
  return {
    ...closedLoop,
    name: `rate${rate}`,
    title: `${rate} events a second`,
    rate,
    eventsPerSecond: rate,
  };
}

export const scenarios: readonly Scenario[] = [
  {
    ...closedLoop,
    name: 'single',
    title: 'one endpoint, single publishes, 50 connections',
    eventsPerSecond: 3_000,
  },
  {
    ...closedLoop,
    name: 'batch',
    title: 'one endpoint, batches of 100, 10 connections',
    batch: 100,
    connections: 10,
    eventsPerSecond: 4_000,
  },
  {
    ...closedLoop,
    name: 'fanout',
    title: 'ten endpoints for each event, 50 connections',
    fanout: 10,
    eventsPerSecond: 700,
  },
  openLoop(100),
  openLoop(500),
  {
    ...closedLoop,
    name: 'many',
    title: '1,000 endpoints in 100 organisations, one for each event',
    organisations: 100,
    types: 10,
    eventsPerSecond: 3_000,
  },
  {
    ...openLoop(100),
    name: 'hanging',
    title: '100 events a second to ten endpoints, one of which hangs',
    fanout: 10,
    hanging: 1,
    yardstick: 'none hangs',
  },
];

/** What is measured in turn: the yardstick first, then the platform. */
export interface Subject {
  readonly name: string;
  readonly server: 'posthorn' | 'bare';
  readonly scenario: Scenario;
}

export function subjectsOf(scenario: Scenario): readonly [yardstick: Subject, platform: Subject] {
  const platform: Subject = { name: 'posthorn', server: 'posthorn', scenario };
  return scenario.yardstick === 'bare loop'
    ? [{ ...platform, name: 'bare loop', server: 'bare' }, platform]
    : [{ ...platform, name: 'none hangs', scenario: { ...scenario, hanging: 0 } }, platform];
}

/** An endpoint by its number, which is the last part of its path. */
export interface PlannedEndpoint {
  readonly number: number;
  readonly organisation: number;
  readonly type: string;
  readonly hangs: boolean;
}

export function typeNames({ types }: Pick<Scenario, 'types'>): string[] {
  return Array.from({ length: types }, (_, index) => `bench.type${index}`);
}

/** All endpoints of a scenario, in the order of their numbers. */
export function plannedEndpoints(scenario: Scenario): PlannedEndpoint[] {
  const { organisations, types, fanout, hanging } = scenario;
  const names = typeNames(scenario);
  return Array.from({ length: organisations * types * fanout }, (_, number) => ({
    number,
    organisation: Math.floor(number / (types * fanout)),
    type: names[Math.floor(number / fanout) % types] ?? '',
    hangs: number % fanout < hanging,
  }));
}

/** The number of the first endpoint of an event; `fanout` of them, without a gap, get it. See `job` in load/publish.go. */
export function firstEndpointOf(event: number, { organisations, types, fanout, batch }: Scenario): number {
  const request = Math.floor(event / Math.max(batch, 1));
  const organisation = request % organisations;
  const type = Math.floor(request / organisations) % types;
  return (organisation * types + type) * fanout;
}
