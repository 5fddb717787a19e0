export {
  createAuthenticate,
  type Authenticate,
  type AuthenticateOptions,
} from './authentication/authenticate.ts';
export {
  createAuditing,
  type AuditLog,
  type AuditRule,
  type AuditRules,
  type Auditing,
} from './audited-service.ts';
export type { CallContext, CallOptions } from './calls/call-context.ts';
export type { CallOrigin } from './calls/call-origin.ts';
export type { Client } from './calls/client.ts';
export { defaultDeadlineMs } from './calls/deadlines.ts';
export {
  defineService,
  type Handlers,
  type ServiceDefinition,
  type ServiceRegistration,
  type StreamHandler,
  type UnaryHandler,
} from './calls/define-service.ts';
export { createInProcessClient, type InProcessClientOptions } from './in-process.ts';
export {
  createNetworkClient,
  defaultMaxMessageBytes,
  type NetworkClientOptions,
} from './network/network-client.ts';
export { openOperationalPublisher } from './open-operational-publisher.ts';
export {
  createOperationalPublisher,
  type OperationalPublisher,
  type OperationalPublisherOptions,
} from './operational-publisher.ts';
export { principalFromMetadata, requireOrganisation, type GetMetadata } from './calls/principal.ts';
export { createRemoteAuditLog } from './remote-audit-log.ts';
export type { RequestSource } from './calls/request-source.ts';
export { createRpcServer, type RpcServer, type RpcServerOptions } from './network/server.ts';
export { rpcServerSettingsOf } from './network/server-settings.ts';
export { createServiceAuthentication, type AuthenticateCall } from './security/service-authentication.ts';
export {
  openTokenAuthentication,
  type OpenTokenAuthenticationOptions,
} from './authentication/open-token-authentication.ts';
export type { TokenAuthentication } from './authentication/token-authentication.ts';
export { transportSecurityOf, transportSecurityProblems } from './security/security-settings.ts';
export { openServiceClients, type ServiceClients } from './service-clients.ts';
export { serviceNames, type ServiceName } from './service-name.ts';
export type { ClientStream, StreamCall } from './calls/stream.ts';
export {
  openTransportSecurity,
  type TransportSecurity,
  type TransportSecuritySettings,
} from './security/transport-security.ts';
