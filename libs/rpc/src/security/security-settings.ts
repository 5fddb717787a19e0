/** From the variables of a deployment to how its services know each other. There is no default: nobody runs open by omission. */
import type { ConfigOf, ConfigProblem, grpcSecurityConfig } from '@posthorn/runtime';
import type { TransportSecuritySettings } from './transport-security.ts';

type SecurityValues = ConfigOf<typeof grpcSecurityConfig>;

/** What is wrong with the variables together; none when `transportSecurityOf` may be asked. */
export function transportSecurityProblems(values: SecurityValues): readonly ConfigProblem[] {
  const files = [
    ['POSTHORN_GRPC_TLS_CERT_FILE', values.grpcTlsCertFile],
    ['POSTHORN_GRPC_TLS_KEY_FILE', values.grpcTlsKeyFile],
    ['POSTHORN_GRPC_TLS_CA_FILE', values.grpcTlsCaFile],
  ] as const;
  const missing = files.filter(([, file]) => file === null).map(([variable]) => variable);
  const hasCertificates = missing.length < files.length;
  const hasTokens = values.serviceTokenKeys !== null && values.serviceTokenKeys.length > 0;
  if (hasCertificates && missing.length > 0) {
    return missing.map((variable) => ({
      variable,
      message: `${variable} must be set too: certificate, key and authority belong together.`,
    }));
  }
  const chosen = [
    ...(hasCertificates ? ['POSTHORN_GRPC_TLS_CERT_FILE'] : []),
    ...(hasTokens ? ['POSTHORN_SERVICE_TOKEN_KEY'] : []),
    ...(values.allowUnauthenticatedGrpc ? ['POSTHORN_DANGEROUSLY_ALLOW_UNAUTHENTICATED_GRPC'] : []),
  ];
  const [variable = 'POSTHORN_GRPC_TLS_CERT_FILE'] = chosen;
  if (chosen.length === 1) return [];
  const message =
    chosen.length > 1
      ? `${chosen.join(' and ')} are set; choose one.`
      : 'Services must know each other: set POSTHORN_GRPC_TLS_CERT_FILE, _KEY_FILE and _CA_FILE, or POSTHORN_SERVICE_TOKEN_KEY where a mesh does TLS; on a machine of your own, POSTHORN_DANGEROUSLY_ALLOW_UNAUTHENTICATED_GRPC=true does without.';
  return [{ variable, message }];
}

/** The settings of values without problems; throws a `RangeError` for others. */
export function transportSecurityOf(values: SecurityValues): TransportSecuritySettings {
  const [problem] = transportSecurityProblems(values);
  if (problem !== undefined) throw new RangeError(problem.message);
  const { grpcTlsCertFile: certFile, grpcTlsKeyFile: keyFile, grpcTlsCaFile: caFile } = values;
  if (certFile !== null && keyFile !== null && caFile !== null) {
    return { kind: 'tls', certFile, keyFile, caFile };
  }
  return values.serviceTokenKeys === null
    ? { kind: 'none' }
    : { kind: 'tokens', keys: values.serviceTokenKeys };
}
