import { isDeepStrictEqual } from 'node:util';
import { ingestV1, type configV1 } from '@posthorn/contracts';
import { DomainError, holdsScope, type Principal, type Scope } from '@posthorn/models';
import {
  createAuthenticate,
  createRpcServer,
  createServiceAuthentication,
  defineService,
  type Authenticate,
  type CallOrigin,
  type Client,
  type RpcServer,
  type StreamCall,
  type TokenAuthentication,
  type TransportSecurity,
} from '@posthorn/rpc';
import type { Clock, Logger, Metrics, Timer } from '@posthorn/runtime';
import { ownPrincipal, type IngestService } from './service.ts';

/**
 * IngestService over gRPC, on one port for two kinds of callers. Internal callers that publish without the gateway bring an
 * API key or an OIDC token as REST callers do (`authorization: Bearer …`); it must hold events:write. A tenant's key implies its
 * organisation, an operator's names it in each event. A key that is revoked, routes elsewhere, or has other limits, ends the streams that it
 * opened within 5 seconds, as it ends calls. The gateway, where it is another process, proves who it is and vouches for its callers;
 * so do config and the dispatcher, which publish operational events.
 */
export interface NetworkListenerOptions {
  readonly ingest: IngestService;
  readonly keys: Client<typeof configV1.KeyServiceService>;
  /** Takes tokens of an OIDC issuer where keys are taken. */
  readonly tokens?: TokenAuthentication | undefined;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Offers grpc.reflection.v1 to the same callers. */
  readonly reflection: boolean;
  /** Lets the other services in; only callers with a key when absent. */
  readonly security?: TransportSecurity;
  /** See `RpcServerOptions`; connections don't end when absent. */
  readonly maxConnectionAgeMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const neededScope: Scope = 'events:write';
/** How often the key of an open stream is looked at again; with what the look-up keeps, under 5 s. */
const recheckMs = 1_500;

type PublishCall = StreamCall<ingestV1.PublishStreamRequest, ingestV1.PublishStreamResponse>;

export function createNetworkListener(options: NetworkListenerOptions): RpcServer {
  const { ingest, keys, tokens, clock, host, port, reflection, security, logger, metrics } = options;
  const authenticate = createAuthenticate({ keys, principal: ownPrincipal, tokens, clock });
  /** The header that a principal was found by, for looking again: a handler sees the principal only. */
  const headers = new WeakMap<Principal, string>();

  async function authenticateKey({ get }: CallOrigin): Promise<Principal> {
    const header = get('authorization');
    const principal = await authenticatePublisher(authenticate, header);
    if (header !== undefined) headers.set(principal, header);
    return principal;
  }

  return createRpcServer({
    services: [
      defineService(ingestV1.IngestServiceService, {
        ...ingest.handlers,
        publishStream: (call) => {
          const header = headers.get(call.ctx.principal);
          if (header !== undefined) endWhenKeyChanges(call, header, authenticate, clock);
          return ingest.handlers.publishStream(call);
        },
      }),
    ],
    authenticate:
      security === undefined
        ? authenticateKey
        : createServiceAuthentication({
            security,
            callers: ['gateway', 'config', 'dispatcher'],
            otherwise: authenticateKey,
            clock,
            logger,
          }),
    ...(security !== undefined && { security }),
    ...(options.maxConnectionAgeMs !== undefined && { maxConnectionAgeMs: options.maxConnectionAgeMs }),
    host,
    port,
    reflection,
    logger,
    metrics,
    clock,
  });
}

async function authenticatePublisher(
  authenticate: Authenticate,
  header: string | undefined,
): Promise<Principal> {
  const principal = await authenticate(header);
  if (holdsScope(principal.scopes, neededScope)) return principal;
  throw new DomainError(
    'permission_denied',
    `This needs the scope ${neededScope}, which the key doesn't have.`,
  );
}

/** Looks at the stream's key again and again; a look-up that fails for another reason than the key ends nothing. */
function endWhenKeyChanges(
  call: PublishCall,
  header: string,
  authenticate: Authenticate,
  clock: Clock,
): void {
  let timer: Timer | undefined;

  async function recheck(): Promise<void> {
    try {
      const present = await authenticatePublisher(authenticate, header);
      const opened = call.ctx.principal;
      // What a stream publishes goes where its key said when it was opened.
      if ((present.routesTo ?? null) !== (opened.routesTo ?? null)) {
        call.fail(new DomainError('unavailable', 'The key routes elsewhere now; open the stream again.'));
        return;
      }
      if (!isDeepStrictEqual(present.limits, opened.limits)) {
        call.fail(new DomainError('unavailable', 'The key has other limits now; open the stream again.'));
        return;
      }
    } catch (error) {
      const { code } = DomainError.from(error);
      if (code === 'unauthenticated' || code === 'permission_denied') {
        call.fail(DomainError.from(error));
        return;
      }
    }
    schedule();
  }

  function schedule(): void {
    timer = clock.setTimeout(() => void recheck(), recheckMs);
    timer.unref();
  }

  schedule();
  call.onClose(() => clock.clearTimeout(timer));
}
