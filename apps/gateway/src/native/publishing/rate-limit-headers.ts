/**
 * `RateLimit-Policy` and `RateLimit` as the IETF draft has them (draft-ietf-httpapi-ratelimit-headers, from its version 8 on): lists
 * of structured fields, an item for each limit that holds. Each event of a batch counts, so what `q` and `r` count are events, which
 * the draft has no unit for, or the bytes of `data`.
 */
import type { ingestV1 } from '@posthorn/contracts';
import type { Definition } from '../routing/schema.ts';

/** What an event's answer says is left, and of whose limits. */
export interface LimitsAnswer {
  readonly organisationId: string;
  readonly limits: ingestV1.LimitStates | undefined;
}

/** The headers of an answer to one publish or to many, given in the order in which they were answered; none where nothing was limited. */
export function rateLimitHeaders(answers: readonly LimitsAnswer[]): Readonly<Record<string, string>> {
  const states = tightest(answers);
  if (states.length === 0) return {};
  return {
    'RateLimit-Policy': states.map(policyOf).join(', '),
    RateLimit: states.map(stateOf).join(', '),
  };
}

/** By each limit what was left in the end. Where it was for several organisations, what the tightest of them has left. */
function tightest(answers: readonly LimitsAnswer[]): readonly ingestV1.LimitState[] {
  const latest = new Map<string, ingestV1.LimitState>();
  for (const { organisationId, limits } of answers) {
    for (const state of limits?.states ?? []) latest.set(`${organisationId} ${state.name}`, state);
  }
  const byName = new Map<string, ingestV1.LimitState>();
  for (const state of latest.values()) {
    const known = byName.get(state.name);
    if (known === undefined || state.remaining < known.remaining) byName.set(state.name, state);
  }
  return [...byName.values()];
}

function policyOf({ name, quota, windowSeconds, countsBytes }: ingestV1.LimitState): string {
  return `"${name}";q=${quota}${countsBytes ? ';qu="content-bytes"' : ''};w=${windowSeconds}`;
}

function stateOf({ name, remaining, resetSeconds }: ingestV1.LimitState): string {
  return `"${name}";r=${remaining};t=${resetSeconds}`;
}

const text: Definition = { type: 'string' };

/** For the document. */
export const rateLimitHeaderDescriptions = {
  'RateLimit-Policy': {
    description:
      'Where the organisation or the key is limited: each limit with its quota `q`, its window `w` in seconds, and its unit `qu` where that is bytes of `data`.',
    schema: { ...text, examples: ['"organisation-publishes-per-second";q=100;w=1'] },
  },
  RateLimit: {
    description: 'How much of each is left (`r`), and in how many seconds its next window begins (`t`).',
    schema: { ...text, examples: ['"organisation-publishes-per-second";r=99;t=1'] },
  },
} as const;
