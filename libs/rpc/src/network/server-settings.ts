import type { ConfigOf, grpcServerConfig } from '@posthorn/runtime';
import type { RpcServerOptions } from './server.ts';

/** From the variables of a deployment to how a service is served. */
export function rpcServerSettingsOf(
  values: ConfigOf<typeof grpcServerConfig>,
): Required<Pick<RpcServerOptions, 'host' | 'port' | 'reflection' | 'maxConnectionAgeMs'>> {
  return {
    host: values.grpcHost,
    port: values.grpcPort,
    reflection: values.grpcReflection,
    maxConnectionAgeMs: values.grpcMaxConnectionAgeMs,
  };
}
