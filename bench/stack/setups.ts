/** What is measured: the platform in some sizes, and what it gets to do in each of them. */
import type { Scenario } from '../scenarios.ts';

/** A size of the platform. One gateway, one event-ingest and one config are part of each. */
export interface Setup {
  readonly dispatchers: number;
  readonly partitions: number;
}

export function describeSetup({ dispatchers, partitions }: Setup): string {
  return `${dispatchers} × ${partitions}`;
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

/** The scenarios, where the rate of the steady one is `rate` events a second. */
export function stackScenarios(rate: number): readonly Scenario[] {
  return [
    {
      ...closedLoop,
      name: 'single',
      title: 'one endpoint, single publishes, 50 connections',
      eventsPerSecond: 800,
    },
    {
      ...closedLoop,
      name: 'batch',
      title: 'one endpoint, batches of 100, 10 connections',
      batch: 100,
      connections: 10,
      eventsPerSecond: 1_000,
    },
    {
      ...closedLoop,
      name: 'fanout',
      title: 'ten endpoints for each event, 50 connections',
      fanout: 10,
      eventsPerSecond: 150,
    },
    {
      ...closedLoop,
      name: 'many',
      title: '200 endpoints in 20 organisations, one for each event',
      organisations: 20,
      types: 10,
      eventsPerSecond: 800,
    },
    { ...closedLoop, name: 'rate', title: `${rate} events a second, evenly`, rate, eventsPerSecond: rate },
  ];
}
