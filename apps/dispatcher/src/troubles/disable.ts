import { configV1 } from '@posthorn/contracts';
import { DomainError, type Principal, type SigningEndpoint } from '@posthorn/models';
import type { Client } from '@posthorn/rpc';
import type { Logger } from '@posthorn/runtime';
import type { Directory } from '../directory.ts';

/** Disables an endpoint, unless its owner has changed it since it was read, and resolves when that is in our view. Never rejects. */
export type Disable = (endpoint: SigningEndpoint, reason: string) => Promise<void>;

/** config owns the endpoints: it is asked to. */
export function createDisabling(options: {
  readonly endpoints: Pick<Client<typeof configV1.EndpointServiceService>, 'setEndpointState'>;
  readonly directory: Pick<Directory, 'bringUpToDate'>;
  readonly principal: Principal;
  readonly logger: Logger;
}): Disable {
  const { endpoints, directory, principal, logger } = options;

  return async ({ endpoint }, reason) => {
    try {
      await endpoints.setEndpointState(
        {
          organisationId: endpoint.organisationId,
          idOrUid: endpoint.id,
          state: configV1.EndpointState.ENDPOINT_STATE_DISABLED,
          reason,
          // Whoever has changed the endpoint since that attempt may have mended it.
          expectedVersion: BigInt(endpoint.version),
        },
        { principal },
      );
      await directory.bringUpToDate();
    } catch (error) {
      // The next one that ends like this tries again.
      const { code } = DomainError.from(error);
      if (code !== 'not_found' && code !== 'version_conflict') {
        logger.error(
          { err: error, endpointId: endpoint.id },
          'an endpoint that takes nothing any more could not be disabled',
        );
      }
    }
  };
}
