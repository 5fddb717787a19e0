/**
 * Where the request came from that a call is made for, as the edge saw it. It travels beside the principal and is believed as that is:
 * because who calls is one of our own services. It decides nothing; the audit log shows it.
 */
import type { GetMetadata } from './principal.ts';

export interface RequestSource {
  /** The client's address. */
  readonly address: string | undefined;
  /** Its `User-Agent`. */
  readonly userAgent: string | undefined;
}

/** The metadata entry that carries it between services. */
export const sourceKey = 'x-posthorn-source';

const maxLength = 512;

/** The source as a metadata value: JSON as base64url, since a client may call itself anything. */
export function encodeSource({ address, userAgent }: RequestSource): string {
  const source = { address: address?.slice(0, maxLength), userAgent: userAgent?.slice(0, maxLength) };
  return Buffer.from(JSON.stringify(source)).toString('base64url');
}

/** The source that the caller states; undefined where it states none, or none that can be read. */
export function sourceFromMetadata(get: GetMetadata): RequestSource | undefined {
  const value = get(sourceKey);
  if (value === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value, 'base64url').toString());
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { address, userAgent } = parsed as Partial<Record<keyof RequestSource, unknown>>;
    return { address: textOf(address), userAgent: textOf(userAgent) };
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, maxLength) : undefined;
}
