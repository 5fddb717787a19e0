import type { Endpoint, Secret } from '@posthorn/models';
import type { StoredEndpoint } from './endpoint-store.ts';
import type { SecretBox } from '../secrets/secret-box.ts';

/** What is secret about an endpoint. It is stored sealed, bound to the endpoint and its organisation. */
export interface EndpointSecrets {
  /** All custom headers with their values in the clear. */
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
}

/** Stands for a header's value wherever that must not be seen. */
export const maskedValue = '********';

/** The headers with their values masked. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, maskedValue]));
}

type Owner = Pick<Endpoint, 'id' | 'organisationId'>;

/** Seals and opens the secret part of endpoints. */
export interface EndpointVault {
  seal(owner: Owner, secrets: EndpointSecrets): string;
  open(stored: StoredEndpoint): EndpointSecrets;
}

export function createEndpointVault(box: SecretBox): EndpointVault {
  return {
    seal: (owner, secrets) => box.seal(JSON.stringify(secrets), contextOf(owner)),
    open({ endpoint, sealed }) {
      const { headers, secrets } = JSON.parse(box.open(sealed, contextOf(endpoint))) as SealedDocument;
      return { headers, secrets: secrets.map(reviveSecret) };
    },
  };
}

function contextOf({ organisationId, id }: Owner): string {
  return `endpoint/${organisationId}/${id}`;
}

interface SealedDocument {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly SealedSecret[];
}

interface SealedSecret extends Pick<Secret, 'scheme' | 'secret'> {
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

function reviveSecret({ scheme, secret, createdAt, expiresAt }: SealedSecret): Secret {
  return {
    scheme,
    secret,
    createdAt: new Date(createdAt),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
  };
}
