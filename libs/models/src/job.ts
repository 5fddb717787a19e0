/** Their places in this list are on record: a new one goes to its end. */
export const jobStates = ['pending', 'running', 'succeeded', 'cancelled', 'failed'] as const;

/** How far a job is that works through many things: a replay, an erasure. The last three are final. */
export type JobState = (typeof jobStates)[number];
