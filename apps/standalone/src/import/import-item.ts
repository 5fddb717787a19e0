/** What is moved: policies first, then the endpoints that name them. */
import type { Dialect } from '@posthorn/models';

export type ImportedDialect = Exclude<Dialect, 'standard'>;
export const importedDialects = [
  'ricloud',
  'xurrent',
  'rapidly',
  'preo',
] as const satisfies readonly ImportedDialect[];

/** A signing policy of xurrent, with what the API doesn't show: its key. */
export interface PolicyItem {
  readonly kind: 'policy';
  /** What receivers know it by: the `kid` of its signatures. */
  readonly name: string;
  readonly algorithm: string;
  readonly audience: string | null;
  readonly expiresInMinutes: number | null;
  readonly disabled: boolean;
  /** The private key as PEM, or the shared secret; null where it isn't known. */
  readonly key: string | null;
}

export interface EndpointItem {
  readonly kind: 'endpoint';
  /** The same at every run: that is what makes importing again change nothing. */
  readonly uid: string;
  readonly url: string;
  /** The fields of the native API, but for those above. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Null where it isn't known; absent where the dialect has none. */
  readonly secret?: string | null;
  /** The name of its policy. */
  readonly policy?: string | null;
  readonly isEnabled: boolean;
  /** Whether its receiver was found to be in order before, so that it needn't be asked again. */
  readonly isVerified: boolean;
}

export type ImportItem = PolicyItem | EndpointItem;

/** The uid of an endpoint that had this id there. */
export function uidOf(dialect: ImportedDialect, id: string): string {
  return `${dialect}-${id}`;
}
