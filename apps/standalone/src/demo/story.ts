/** What the demo plays: a small shop's events, and the endpoints that want some of them. Everything is countable beforehand. */

export interface DemoEvent {
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, unknown>> & { readonly total: number };
}

export interface DemoEndpoint {
  readonly uid: string;
  /** For the table. */
  readonly wants: string;
  /** The settings that make it want just that. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The same in words of this program, to count by. */
  readonly matches: (event: DemoEvent) => boolean;
  /** How long after its first request it answers 503. */
  readonly failsForMs: number;
}

const types = ['order.created', 'order.paid', 'order.shipped', 'invoice.sent', 'customer.created'] as const;
const regions = ['eu', 'us', 'asia'] as const;

/** The events, always the same ones. */
export function demoEvents(count: number): readonly DemoEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    type: types[index % types.length] ?? 'order.created',
    labels: { region: regions[index % regions.length] ?? 'eu' },
    data: { number: index + 1, total: ((index * 37) % 200) + 0.5, currency: 'EUR' },
  }));
}

/** Short enough that the demo's end is seen, long enough that the failing receiver is outlived. */
const retryDelaysMs = [300, 600, 1_000, 1_000, 2_000, 2_000, 4_000, 4_000, 8_000];

export const demoEndpoints: readonly DemoEndpoint[] = [
  {
    uid: 'everything',
    wants: 'every event',
    settings: {},
    matches: () => true,
    failsForMs: 0,
  },
  {
    uid: 'orders',
    wants: 'order.*',
    settings: { eventTypes: ['order.*'] },
    matches: ({ type }) => type.startsWith('order.'),
    failsForMs: 0,
  },
  {
    uid: 'europe-large',
    wants: 'region=eu, total ≥ 100',
    settings: { labels: { region: ['eu'] }, filter: { total: { $gte: 100 } } },
    matches: ({ labels, data }) => labels['region'] === 'eu' && data.total >= 100,
    failsForMs: 0,
  },
  {
    uid: 'recovering',
    wants: 'invoice.*, down at first',
    settings: { eventTypes: ['invoice.*'], retryDelaysMs },
    matches: ({ type }) => type.startsWith('invoice.'),
    failsForMs: 1_500,
  },
];
