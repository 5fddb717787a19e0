import {
  endpointEvent,
  patternsNaming,
  type OperationalActor,
  type OperationalEvent,
  type Principal,
} from '@posthorn/models';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';

/**
 * Tells an organisation what became of its endpoints, where one of them names such events. It happens beside the call that changed
 * something, once that is on record: the call doesn't wait for it and doesn't fail with it. What a process that is killed hasn't told
 * yet isn't told any more.
 */
export interface EndpointNotices {
  created(made: StoredEndpoint, principal: Principal): void;
  /** What the owner wrote is an update; becoming disabled is told besides, whoever did it. */
  changed(before: StoredEndpoint, after: StoredEndpoint, principal: Principal): void;
  deleted(last: StoredEndpoint, principal: Principal, at: Date): void;
  /** Resolves when everything that has to be published is with the publisher. */
  drain(): Promise<void>;
}

export function createEndpointNotices(options: {
  readonly endpoints: Pick<EndpointStore, 'namesAny'>;
  /** Nothing is told when absent. */
  readonly publish: ((event: OperationalEvent) => void) | undefined;
}): EndpointNotices {
  const { endpoints, publish } = options;
  const asking = new Set<Promise<void>>();

  async function isWanted({ organisationId, type }: OperationalEvent): Promise<boolean> {
    try {
      return await endpoints.namesAny(organisationId, patternsNaming(type));
    } catch {
      // Told in vain is better than not told: planning asks once more.
      return true;
    }
  }

  function tell(
    type: Parameters<typeof endpointEvent>[0]['type'],
    { endpoint, writes }: StoredEndpoint,
    { by, at }: { readonly by: OperationalActor; readonly at: Date },
  ): void {
    if (publish === undefined) return;
    const event = endpointEvent({ type, endpoint, writes, by, at });
    const asked = isWanted(event).then((wanted) => {
      asking.delete(asked);
      if (wanted) publish(event);
    });
    asking.add(asked);
  }

  return {
    created(made, principal) {
      tell('posthorn.endpoint.created', made, { by: actorOf(principal), at: made.endpoint.createdAt });
    },
    changed(before, after, principal) {
      const done = { by: actorOf(principal), at: after.endpoint.updatedAt };
      if (after.endpoint.version !== before.endpoint.version) tell('posthorn.endpoint.updated', after, done);
      const wasDisabled = before.endpoint.state === 'disabled';
      if (after.endpoint.state === 'disabled' && !wasDisabled)
        tell('posthorn.endpoint.disabled', after, done);
    },
    deleted(last, principal, at) {
      tell('posthorn.endpoint.deleted', last, { by: actorOf(principal), at });
    },
    async drain() {
      await Promise.all(asking);
    },
  };
}

function actorOf({ kind }: Principal): OperationalActor {
  return kind === 'service' ? 'posthorn' : 'owner';
}
