/** How the services reach each other, and how they know each other. */
import { boolean, bytes32, durationMs, grpcTarget, integer, list, path, text } from '../config-parsers.ts';
import { configEntry } from '../config-reader.ts';

/** What is served over gRPC. */
export const grpcServerConfig = {
  grpcHost: configEntry({
    env: 'POSTHORN_GRPC_HOST',
    parser: text({ maxLength: 255 }),
    default: '127.0.0.1',
    description: 'The address that gRPC is served on; `0.0.0.0` for all of IPv4, `::` for all.',
  }),
  grpcPort: configEntry({
    env: 'POSTHORN_GRPC_PORT',
    parser: integer({ min: 0, max: 65_535 }),
    default: 50_051,
    description: 'The port that gRPC is served on; 0 for any free one.',
  }),
  grpcReflection: configEntry({
    env: 'POSTHORN_GRPC_REFLECTION',
    parser: boolean,
    default: false,
    description:
      'Offers the contract to tools such as grpcurl (grpc.reflection.v1), to callers who may call.',
  }),
  grpcMaxConnectionAgeMs: configEntry({
    env: 'POSTHORN_GRPC_MAX_CONNECTION_AGE_MS',
    parser: durationMs({ min: 1_000, max: 86_400_000 }),
    default: 300_000,
    description:
      'How long a connection lasts before its client is asked to make another one, which is how clients find new replicas and show new certificates.',
  }),
} as const;

/** How services prove who they are: certificates or tokens. */
export const grpcSecurityConfig = {
  grpcTlsCertFile: configEntry({
    env: 'POSTHORN_GRPC_TLS_CERT_FILE',
    parser: path,
    default: null,
    description:
      "This service's certificate in PEM, with its chain. Among its DNS names is the service's own: `gateway`, `event-ingest`, `dispatcher` or `config`. Read again when it is renewed.",
  }),
  grpcTlsKeyFile: configEntry({
    env: 'POSTHORN_GRPC_TLS_KEY_FILE',
    parser: path,
    default: null,
    description: 'The key of that certificate in PEM.',
  }),
  grpcTlsCaFile: configEntry({
    env: 'POSTHORN_GRPC_TLS_CA_FILE',
    parser: path,
    default: null,
    description:
      "The authorities, in PEM, that the services' certificates come from. Whoever has a certificate of theirs with a service's name is that service.",
  }),
  serviceTokenKeys: configEntry({
    env: 'POSTHORN_SERVICE_TOKEN_KEY',
    parser: list(bytes32),
    default: null,
    secret: true,
    description:
      'In place of certificates, where TLS is the business of a mesh: what the services sign their calls with. To change it, put the new key behind the old one everywhere, then before it, then leave the old one out: the first signs, all verify.',
  }),
  allowUnauthenticatedGrpc: configEntry({
    env: 'POSTHORN_DANGEROUSLY_ALLOW_UNAUTHENTICATED_GRPC',
    parser: boolean,
    default: false,
    description:
      'Starts without certificates and without tokens: whoever reaches a gRPC port may do everything. For one machine without others on it.',
  }),
} as const;

const addressDescription = (service: string): string =>
  `Where ${service} is reached over gRPC: \`host:port\`, of which every address that the name has is used in turn, or another target of gRPC such as \`ipv4:10.0.0.1:50051,10.0.0.2:50051\`.`;

/** Where the others are. The defaults are the names that they have on Kubernetes. */
export const serviceAddressConfig = {
  configAddress: configEntry({
    env: 'POSTHORN_CONFIG_ADDRESS',
    parser: grpcTarget,
    default: 'dns:///posthorn-config:50051',
    description: addressDescription('config'),
  }),
  ingestAddress: configEntry({
    env: 'POSTHORN_INGEST_ADDRESS',
    parser: grpcTarget,
    default: 'dns:///posthorn-event-ingest:50051',
    description: addressDescription('event-ingest'),
  }),
  dispatcherAddress: configEntry({
    env: 'POSTHORN_DISPATCHER_ADDRESS',
    parser: grpcTarget,
    default: 'dns:///posthorn-dispatcher:50051',
    description: addressDescription('dispatcher'),
  }),
} as const;
