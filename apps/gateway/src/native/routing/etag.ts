/**
 * Versions as entity tags. `If-Match` compares strongly (a weak tag never matches), `If-None-Match` weakly, as RFC 9110
 * has it. A tag that isn't one of ours is a well-formed tag that matches nothing.
 */
import { DomainError, type Violation } from '@posthorn/models';

const entityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;
const ownTag = /^"(\d{1,18})"$/;

/** What `If-Match` asks for. */
export type Precondition =
  | { readonly kind: 'none' }
  /** `*`: it must exist. */
  | { readonly kind: 'exists' }
  | { readonly kind: 'version'; readonly version: bigint }
  /** Only tags that no version of ours has. */
  | { readonly kind: 'never' };

/** The entity tag of a version. */
export function etagOf(version: bigint | number): string {
  return `"${version}"`;
}

/** Reads `If-Match`. One version at most: there is no telling which of several the caller has seen. */
export function readIfMatch(header: string | undefined): Precondition | Violation {
  if (header === undefined) return { kind: 'none' };
  if (header.trim() === '*') return { kind: 'exists' };
  const tags = header.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => entityTag.test(tag))) return malformed('If-Match');
  const versions = tags.map((tag) => ownTag.exec(tag)?.[1]).filter((version) => version !== undefined);
  const [version] = versions;
  if (version === undefined) return { kind: 'never' };
  if (versions.length > 1) {
    return {
      field: '?If-Match',
      code: 'repeated',
      message: 'This names several versions; name the one you have seen.',
    };
  }
  return { kind: 'version', version: BigInt(version) };
}

/** Whether `If-None-Match` names this tag, so that the caller has it already. */
export function isNoneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** The error for a precondition that can't hold. */
export function versionConflict(): DomainError {
  return new DomainError('version_conflict', 'If-Match names another version than the current one.');
}

function malformed(name: string): Violation {
  return { field: `?${name}`, code: 'invalid_format', message: 'This is not an entity tag as in "3", or *.' };
}
