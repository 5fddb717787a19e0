import type { GetMetadata } from './principal.ts';

/** Where a call comes from, as far as the connection and its metadata tell. */
export interface CallOrigin {
  readonly get: GetMetadata;
  /** The caller's certificate in DER, if it showed one that comes from our authority. */
  readonly certificate: () => Buffer | undefined;
}
