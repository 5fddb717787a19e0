/**
 * Trying an endpoint out before it gets events. A `test` sends one event once, and the endpoint's verification passes or fails with it; a
 * `verification` delivers an event that carries a callback URL, and the endpoint's verification ends when its receiver calls that URL.
 */
export interface Task {
  /** The endpoint's `verificationId` of this round, so that one round is one task. */
  readonly id: string;
  readonly organisationId: string;
  readonly endpointId: string;
  readonly kind: TaskKind;
  /** The key that asked for it; null when nobody did. */
  readonly keyId: string | null;
  /** The event that it sent; null before it started. */
  readonly eventId: string | null;
  readonly state: TaskState;
  /** Why it failed, for people. */
  readonly error: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
}

export const taskKinds = ['test', 'verification'] as const;
export type TaskKind = (typeof taskKinds)[number];

export const taskStates = ['pending', 'processing', 'succeeded', 'failed'] as const;
export type TaskState = (typeof taskStates)[number];
