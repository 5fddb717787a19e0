export { createAuthenticate, type Authenticate, type AuthenticateOptions } from './authenticate.ts';
export {
  createAuditing,
  type AuditLog,
  type AuditRule,
  type AuditRules,
  type Auditing,
} from './audited-service.ts';
export type { CallContext, CallOptions } from './call-context.ts';
export type { CallOrigin } from './call-origin.ts';
export type { Client } from './client.ts';
export { defaultDeadlineMs } from './deadlines.ts';
export {
  defineService,
  type Handlers,
  type ServiceDefinition,
  type ServiceRegistration,
  type StreamHandler,
  type UnaryHandler,
} from './define-service.ts';
export { createInProcessClient, type InProcessClientOptions } from './in-process.ts';
export { createNetworkClient, defaultMaxMessageBytes, type NetworkClientOptions } from './network-client.ts';
export {
  createOperationalPublisher,
  type OperationalPublisher,
  type OperationalPublisherOptions,
} from './operational-publisher.ts';
export { principalFromMetadata, requireOrganisation, type GetMetadata } from './principal.ts';
export { createRemoteAuditLog } from './remote-audit-log.ts';
export type { RequestSource } from './request-source.ts';
export { createRpcServer, type RpcServer, type RpcServerOptions } from './server.ts';
export { createServiceAuthentication, type AuthenticateCall } from './service-authentication.ts';
export { openTokenAuthentication, type OpenTokenAuthenticationOptions } from './open-token-authentication.ts';
export type { TokenAuthentication } from './token-authentication.ts';
export { transportSecurityOf, transportSecurityProblems } from './security-settings.ts';
export { openServiceClients, type ServiceClients } from './service-clients.ts';
export { serviceNames, type ServiceName } from './service-name.ts';
export type { ClientStream, StreamCall } from './stream.ts';
export {
  openTransportSecurity,
  type TransportSecurity,
  type TransportSecuritySettings,
} from './transport-security.ts';
