/** Whose OIDC tokens are taken beside API keys. The gateway and event-ingest are told the same. */
import { choice, durationMs, list, text, type ConfigParser } from '../config-parsers.ts';
import { configEntry, type ConfigOf, type ConfigProblem } from '../config-reader.ts';

/** Signatures that are verified with a public key: a shared secret would let whoever verifies sign as well. */
export const oidcAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export type OidcAlgorithm = (typeof oidcAlgorithms)[number];

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Whether keys may be fetched from there: whoever could change what is fetched could sign tokens. */
export function isTrustworthyUrl(value: string): boolean {
  const parsed = URL.parse(value);
  if (parsed === null || parsed.username || parsed.password || parsed.hash) return false;
  return parsed.protocol === 'https:' || (parsed.protocol === 'http:' && loopback.test(parsed.hostname));
}

/** Kept as it is written: issuers are compared by character, the slash at their end included. */
const trustworthyUrl: ConfigParser<string> = {
  allowed: 'an https URL without credentials and fragment, or an http one of this machine',
  parse: (value) => (isTrustworthyUrl(value) ? value : undefined),
};

export const oidcConfig = {
  oidcIssuer: configEntry({
    env: 'POSTHORN_OIDC_ISSUER',
    parser: trustworthyUrl,
    default: null,
    defaultText: 'API keys only',
    description:
      "Takes tokens (JWTs) of this OpenID Connect issuer beside API keys. Written exactly as the tokens' `iss` says it, with or without a slash at its end.",
  }),
  oidcAudience: configEntry({
    env: 'POSTHORN_OIDC_AUDIENCE',
    parser: list(text({ maxLength: 512 })),
    default: [],
    defaultText: 'must be set with an issuer',
    description: 'What `aud` of a token has to name: one of these.',
  }),
  oidcJwksUrl: configEntry({
    env: 'POSTHORN_OIDC_JWKS_URL',
    parser: trustworthyUrl,
    default: null,
    defaultText: "what the issuer's `/.well-known/openid-configuration` says",
    description: "Where the issuer's public keys are fetched from.",
  }),
  oidcOrganisationClaim: configEntry({
    env: 'POSTHORN_OIDC_ORGANISATION_CLAIM',
    parser: text({ maxLength: 255 }),
    default: 'organisation',
    description: 'The claim with the id or slug of the organisation that a token acts for.',
  }),
  oidcScopesClaim: configEntry({
    env: 'POSTHORN_OIDC_SCOPES_CLAIM',
    parser: text({ maxLength: 255 }),
    default: 'scope',
    description:
      'The claim with the scopes of a token: text with spaces between them, or an array. Those that Posthorn does not know count for nothing.',
  }),
  oidcOperatorScope: configEntry({
    env: 'POSTHORN_OIDC_OPERATOR_SCOPE',
    parser: text({ maxLength: 255 }),
    default: null,
    defaultText: 'no token is an operator',
    description:
      'A token that names no organisation acts as an operator if it has this scope beside those that it needs; it is refused otherwise.',
  }),
  oidcAlgorithms: configEntry({
    env: 'POSTHORN_OIDC_ALGORITHMS',
    parser: list(choice(oidcAlgorithms)),
    default: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    description: 'How tokens may be signed.',
  }),
  oidcClockToleranceMs: configEntry({
    env: 'POSTHORN_OIDC_CLOCK_TOLERANCE_MS',
    parser: durationMs({ min: 0, max: 300_000 }),
    default: 30_000,
    description: "How far the issuer's clock may be from ours.",
  }),
} as const;

type OidcValues = ConfigOf<typeof oidcConfig>;

/** Whose tokens are taken, and what is read from them. */
export interface OidcSettings {
  readonly issuer: string;
  /** At least one. */
  readonly audience: readonly string[];
  /** Found by discovery when null. */
  readonly jwksUrl: string | null;
  readonly organisationClaim: string;
  readonly scopesClaim: string;
  /** Nobody is an operator by a token when null. */
  readonly operatorScope: string | null;
  readonly algorithms: readonly OidcAlgorithm[];
  readonly clockToleranceMs: number;
}

/** What is wrong with the variables together; none when `oidcSettingsOf` may be asked. */
export function oidcProblems(values: OidcValues): readonly ConfigProblem[] {
  const problem = (variable: string, message: string): ConfigProblem => ({
    variable,
    message: `${variable} ${message}`,
  });
  if (values.oidcIssuer !== null) {
    return [
      ...(values.oidcAudience.length > 0
        ? []
        : [
            problem(
              'POSTHORN_OIDC_AUDIENCE',
              'must be set too: a token that was made for another service is none for this one.',
            ),
          ]),
      ...(values.oidcAlgorithms.length > 0
        ? []
        : [problem('POSTHORN_OIDC_ALGORITHMS', 'names no algorithm; leave it out for the usual ones.')]),
    ];
  }
  // Set by somebody who believes that tokens are taken.
  return [
    ...(values.oidcAudience.length > 0 ? ['POSTHORN_OIDC_AUDIENCE'] : []),
    ...(values.oidcJwksUrl !== null ? ['POSTHORN_OIDC_JWKS_URL'] : []),
    ...(values.oidcOperatorScope !== null ? ['POSTHORN_OIDC_OPERATOR_SCOPE'] : []),
  ].map((variable) => problem(variable, 'is set, but POSTHORN_OIDC_ISSUER is not.'));
}

/** The settings of values without problems; null where only API keys are taken. */
export function oidcSettingsOf(values: OidcValues): OidcSettings | null {
  if (values.oidcIssuer === null) return null;
  return {
    issuer: values.oidcIssuer,
    audience: values.oidcAudience,
    jwksUrl: values.oidcJwksUrl,
    organisationClaim: values.oidcOrganisationClaim,
    scopesClaim: values.oidcScopesClaim,
    operatorScope: values.oidcOperatorScope,
    algorithms: values.oidcAlgorithms,
    clockToleranceMs: values.oidcClockToleranceMs,
  };
}
