import { eventually } from '@posthorn/testing';
import type { LoadOnTenant } from '../load/load-on-tenant.ts';
import { patienceMs } from '../tenant.ts';
import type { WallClock } from './wall-clock.ts';

const toleranceMs = 600_000;
const hourSeconds = 3600;

/** The platform's wall clock jumps, and events are delivered each time. */
export async function jumpForthAndBack(clock: WallClock | null, run: LoadOnTenant): Promise<void> {
  for (const seconds of [hourSeconds, 0, -hourSeconds, 0]) {
    clock?.setOff(seconds);
    await untilClockShows(run, seconds);
    await run.untilDelivered(100);
  }
}

/** Resolves when an accepted event shows that the platform's wall clock is off by that much. */
async function untilClockShows({ tenant }: LoadOnTenant, seconds: number): Promise<void> {
  await eventually(
    async () => {
      const { acceptedAt } = await tenant.ok<{ acceptedAt: string }>('POST', '/v1/events', {
        type: 'clock.shown',
        data: { client: 'clock', n: 0 },
      });
      return Math.abs(Date.parse(acceptedAt) - Date.now() - seconds * 1000) < toleranceMs;
    },
    { timeoutMs: patienceMs, everyMs: 200, message: `The clock being off by ${seconds} s` },
  );
}
