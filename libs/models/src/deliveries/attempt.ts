/** One request to one endpoint, and what came of it. */
export interface Attempt {
  readonly id: string;
  readonly organisationId: string;
  readonly deliveryId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly endpointId: string;
  /** Counts from 1. */
  readonly number: number;
  readonly trigger: AttemptTrigger;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
  /** HTTP status; null when none came. */
  readonly status: number | null;
  /** What went wrong, for people; null on success. */
  readonly error: string | null;
  readonly response: AttemptResponse | null;
  /** The address that was connected to. */
  readonly address: string | null;
  /** The signature header as it was sent. */
  readonly signature: string | null;
}

export interface AttemptResponse {
  readonly headers: Readonly<Record<string, string>>;
  /** The first 4 KiB of the body, as text. */
  readonly body: string;
  readonly truncated: boolean;
}

export const attemptTriggers = ['schedule', 'manual', 'replay', 'test'] as const;
export type AttemptTrigger = (typeof attemptTriggers)[number];

export const attemptOutcomes = [
  /** An answer with a 2xx status. */
  'success',
  /** An answer with any other status. */
  'http_error',
  'timeout',
  /** The connection was refused or couldn't be made. */
  'refused',
  /** The connection broke before the answer's head had come. */
  'reset',
  'dns',
  'tls',
  /** The address isn't one that deliveries may reach. */
  'blocked',
  /** The response's head was over the limit. */
  'too_large',
  /** What came back wasn't HTTP. */
  'protocol',
  /** Our own fault: the request couldn't be built, or the egress proxy doesn't take it. */
  'internal',
] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];
