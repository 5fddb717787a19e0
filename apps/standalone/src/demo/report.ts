/** What the demo shows at the end: for each endpoint what it should have got, what the API says, and what its receiver saw. */
import type { ApiClient } from '../client/api-client.ts';
import type { Style } from '../terminal/output.ts';
import type { DeliveryResource } from '../client/resources.ts';
import type { Column } from '../terminal/table.ts';
import type { DemoReceiver } from './demo-receiver.ts';
import { demoEndpoints, type DemoEvent } from './story.ts';

export interface ReportRow {
  readonly endpoint: string;
  readonly wants: string;
  /** Events that it wants, counted here. */
  readonly expected: number;
  /** Deliveries that succeeded, by the API. */
  readonly delivered: number;
  /** Deliveries that took more than one attempt. */
  readonly retried: number;
  readonly attempts: number;
  /** Different webhooks whose signature its receiver verified. */
  readonly verified: number;
  /** Webhooks that the receiver got again after it had accepted them. */
  readonly repeated: number;
  /** Whether all of it came and was verified, and nothing else; and whether it was retried if it failed at first. */
  readonly complete: boolean;
}

export async function reportOf(
  api: ApiClient,
  story: {
    readonly events: readonly DemoEvent[];
    readonly endpoints: ReadonlyMap<string, string>;
    readonly receiver: DemoReceiver;
  },
): Promise<readonly ReportRow[]> {
  const rows: ReportRow[] = [];
  for (const { uid, wants, matches, failsForMs } of demoEndpoints) {
    const expected = story.events.filter(matches).length;
    const endpointId = story.endpoints.get(uid) ?? '';
    let total = 0;
    let delivered = 0;
    let retried = 0;
    let attempts = 0;
    for await (const delivery of api.list<DeliveryResource>('/v1/deliveries', {
      limit: null,
      query: { endpointId },
    })) {
      total += 1;
      attempts += delivery.attempts;
      if (delivery.state === 'succeeded') delivered += 1;
      if (delivery.attempts > 1) retried += 1;
    }
    const { verified, repeated, refused } = story.receiver.received(`/${uid}`);
    const isWhole = total === expected && delivered === expected && verified.size === expected;
    const isRetriedAsItShould = failsForMs === 0 || expected === 0 || retried > 0;
    rows.push({
      endpoint: uid,
      wants,
      expected,
      delivered,
      retried,
      attempts,
      verified: verified.size,
      repeated,
      complete: isWhole && refused === 0 && isRetriedAsItShould,
    });
  }
  return rows;
}

export function reportColumns(style: Style): readonly Column<ReportRow>[] {
  return [
    { header: 'ENDPOINT', value: ({ endpoint }) => endpoint },
    { header: 'WANTS', value: ({ wants }) => wants },
    { header: 'EXPECTED', value: ({ expected }) => expected, align: 'right' },
    { header: 'DELIVERED', value: ({ delivered }) => delivered, align: 'right' },
    { header: 'RETRIED', value: ({ retried }) => retried, align: 'right' },
    { header: 'ATTEMPTS', value: ({ attempts }) => attempts, align: 'right' },
    { header: 'VERIFIED', value: ({ verified }) => verified, align: 'right' },
    {
      header: '',
      value: ({ complete }) => (complete ? 'complete' : 'INCOMPLETE'),
      style: (text, { complete }) => style(complete ? 'green' : 'red', text),
    },
  ];
}
