import { jobStates } from '@posthorn/models';
import type { Definition } from '../routing/schema.ts';
import { described, time, timeOrNull } from './scalars.ts';

export const jobState: Definition = { type: 'string', enum: jobStates };

/** How a job came about and how it ended, the same for every kind. */
export const jobHistory = {
  error: described({ type: ['string', 'null'] }, 'Why it failed.'),
  createdBy: described({ type: 'string' }, 'The id of the key that asked for it.'),
  createdAt: time,
  startedAt: timeOrNull,
  finishedAt: timeOrNull,
} as const satisfies Record<string, Definition>;
