/**
 * Services whose actions are on record. An action is recorded before it is carried out, and what can't be recorded isn't carried out; when
 * it has ended, its result is added. So no action is without its record on either kind of store, without transactions. A process
 * that is lost in between leaves a record that says `unknown`, which is the truth.
 *
 * Rules name every method: a new one doesn't compile until somebody has said whether it is an action.
 */
import { DomainError, newId, type AuditEnd, type AuditRecord, type Principal } from '@posthorn/models';
import type { Clock, Logger, Random } from '@posthorn/runtime';
import type { CallContext } from './calls/call-context.ts';
import type {
  RegisteredMethod,
  RequestOf,
  ResponseOf,
  ServiceDefinition,
  ServiceRegistration,
} from './calls/define-service.ts';

/** Where records go. */
export interface AuditLog {
  begin(record: AuditRecord): Promise<void>;
  end(id: string, end: AuditEnd): Promise<void>;
}

/** What a request is about. */
export interface AuditSubject {
  /** Whose resource it is; of no organisation when absent. */
  readonly organisationId?: string | undefined;
  /** How the request names the resource. */
  readonly resourceId?: string | undefined;
  /** The paths of its field mask. */
  readonly updateMask?: readonly string[] | undefined;
}

/** An action: its name, and what it is done to. */
export interface AuditRule<Request, Response> {
  /** Kind of resource and verb, as in `endpoint.create`. */
  readonly action: string;
  of(request: Request): AuditSubject;
  /** The resource's id, where the answer knows it better than the request. */
  idIn?(response: Response): string | undefined;
}

/** For each method of a service: what it does to what, or null for what is no action. */
export type AuditRules<D extends ServiceDefinition> = {
  readonly [M in keyof D]: AuditRule<RequestOf<D[M]>, ResponseOf<D[M]>> | null;
};

export interface AuditingOptions {
  readonly log: AuditLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** How often it is tried to say how an action ended, before its record stays `unknown`. */
const endTries = 3;
const maxNameLength = 512;

/** Puts the actions of services on record. */
export type Auditing = <D extends ServiceDefinition>(
  registration: ServiceRegistration<D>,
  rules: AuditRules<D>,
) => ServiceRegistration<D>;

export function createAuditing({ log, clock, random, logger }: AuditingOptions): Auditing {
  async function begin(record: AuditRecord): Promise<void> {
    try {
      await log.begin(record);
    } catch (error) {
      throw new DomainError('unavailable', 'What is done cannot be put on record now, so it was not done.', {
        cause: error,
        retryAfterMs: 1_000,
      });
    }
  }

  async function end(id: string, ended: AuditEnd): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await log.end(id, ended);
        return;
      } catch (error) {
        if (tries < endTries) continue;
        logger.error({ err: error, auditId: id, ...ended }, 'how an action ended could not be put on record');
        return;
      }
    }
  }

  return <D extends ServiceDefinition>(registration: ServiceRegistration<D>, rules: AuditRules<D>) => {
    const methods = registration.methods.map((method): RegisteredMethod => {
      const rule = rules[method.name] as AuditRule<unknown, unknown> | null;
      if (rule === null || method.kind !== 'unary') return method;
      return {
        ...method,
        async handle(request, ctx) {
          const record = recordOf(rule, request, ctx, clock, random);
          await begin(record);
          try {
            const response = await method.handle(request, ctx);
            const resourceId = rule.idIn?.(response) ?? null;
            await end(record.id, { result: 'ok', errorCode: null, resourceId });
            return response;
          } catch (error) {
            const { code } = DomainError.from(error);
            const result = code === 'permission_denied' ? 'refused' : 'failed';
            await end(record.id, { result, errorCode: code, resourceId: null });
            throw error;
          }
        },
      };
    });
    return { ...registration, methods };
  };
}

function recordOf(
  rule: AuditRule<unknown, unknown>,
  request: unknown,
  { principal, requestId, source }: CallContext,
  clock: Clock,
  random: Random,
): AuditRecord {
  const nowMs = clock.now();
  const { organisationId, resourceId, updateMask = [] } = rule.of(request);
  return {
    id: newId(nowMs, (count) => random.bytes(count)),
    occurredAt: new Date(nowMs),
    // A tenant is shown what it did, and nothing of it is shown to whom it named.
    organisationId: principal.organisationId ?? organisationId ?? null,
    actor: actorOf(principal),
    action: rule.action,
    resourceId: resourceId?.slice(0, maxNameLength) ?? null,
    changedFields: updateMask.map((path) =>
      path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    ),
    result: 'unknown',
    errorCode: null,
    address: source?.address ?? null,
    userAgent: source?.userAgent ?? null,
    requestId,
  };
}

function actorOf({ kind, id, name, organisationId }: Principal): AuditRecord['actor'] {
  return { kind, id, name: name ?? null, isOperator: kind !== 'service' && organisationId === null };
}
