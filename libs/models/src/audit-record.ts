import type { ErrorCode } from './errors.ts';

/** How an action ended. */
export const auditResults = [
  /** It began, and its end was never told: the process was lost, most likely. It may have been carried out. */
  'unknown',
  'ok',
  /** The caller may not do this. */
  'refused',
  /** Another error, which `errorCode` names. */
  'failed',
] as const;

export type AuditResult = (typeof auditResults)[number];

export const auditActorKinds = ['key', 'token', 'service'] as const;

export type AuditActorKind = (typeof auditActorKinds)[number];

/** Who did something, as it was then. */
export interface AuditActor {
  readonly kind: AuditActorKind;
  /** The key's id, the subject of an OIDC token, or the service's name. */
  readonly id: string;
  /** What the key was called. */
  readonly name: string | null;
  /** Belongs to no organisation. */
  readonly isOperator: boolean;
}

/** Who did what to which resource, from where, and with what result. Holds no value of any field, and so no secret. */
export interface AuditRecord {
  /** Begins with the time of the record. */
  readonly id: string;
  readonly occurredAt: Date;
  /** Null for what belongs to no organisation. */
  readonly organisationId: string | null;
  readonly actor: AuditActor;
  /** The kind of resource, and what was done to it: `endpoint.create`. */
  readonly action: string;
  /** An id, or the name that the caller used where there is none yet or it was never found. */
  readonly resourceId: string | null;
  /** The fields that an update named. */
  readonly changedFields: readonly string[];
  readonly result: AuditResult;
  readonly errorCode: ErrorCode | null;
  /** Where the request came from, and what it said of its program. */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string;
}

/** What is known of an action when it has ended. */
export interface AuditEnd extends Pick<AuditRecord, 'result' | 'errorCode'> {
  /** Null where what was known at its beginning holds. */
  readonly resourceId: string | null;
}
