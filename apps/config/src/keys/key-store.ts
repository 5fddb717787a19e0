import { noPublishLimits, type ApiKey, type PublishLimits, type Scope } from '@posthorn/models';

/** API keys, found by the hash of their token. The token itself is stored nowhere. */
export interface KeyStore {
  /** `already_exists` when the token is in use, `failed_precondition` when the organisation has `maxPerOrganisation` keys. */
  insert(key: StoredKey, maxPerOrganisation: number): Promise<void>;
  /** Makes the key or replaces the one with its id; `already_exists` when another key has the token. */
  put(key: StoredKey): Promise<void>;
  find(id: string): Promise<ApiKey | null>;
  findByToken(tokenSha256: Uint8Array): Promise<ApiKey | null>;
  /** Newest first: those with an id below `beforeId`. */
  list(page: KeyPage): Promise<readonly ApiKey[]>;
  /** Replaces the fields that are named; null when there is no such key. */
  update(id: string, changes: KeyChanges): Promise<ApiKey | null>;
  /** Remembers when the key was used last; never goes back in time. */
  touch(id: string, usedAt: Date): Promise<void>;
  /** False when there was none. */
  delete(id: string): Promise<boolean>;
  /** Deletes up to `limit` keys of an organisation and says how many. */
  deleteSome(organisationId: string, limit: number): Promise<number>;
}

export interface StoredKey {
  readonly key: ApiKey;
  /** SHA-256 of the token's UTF-8 bytes. */
  readonly tokenSha256: Uint8Array;
}

/** Fills in what earlier versions didn't write. */
export function completeKey(stored: ApiKey): ApiKey {
  return { ...newKeyFields, ...stored };
}

const newKeyFields = { limits: noPublishLimits, endpointId: null } satisfies Partial<ApiKey>;

export interface KeyPage {
  /** `operator`: keys of no organisation; `any`: all there are. */
  readonly owner: { readonly organisationId: string } | 'operator' | 'any';
  readonly limit: number;
  readonly beforeId: string | null;
}

export interface KeyChanges {
  readonly name?: string;
  readonly scopes?: readonly Scope[];
  readonly expiresAt?: Date | null;
  readonly limits?: PublishLimits;
}
