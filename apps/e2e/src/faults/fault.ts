import type { LoadOnTenant } from '../load/load-on-tenant.ts';
import type { Subject, Surroundings } from './subject.ts';

/** Something that goes wrong under load, on one of the subjects. */
export interface Fault<S extends Subject> {
  /** In the table, and for `--only`. */
  readonly name: string;
  readonly surroundings: Surroundings;
  /** Whether the short form has it. */
  readonly isInShortForm: boolean;
  /** Whether the endpoints call the receiver by its name. */
  readonly callsByName?: true;
  /** Makes it happen; resolves when it is over. */
  readonly happen: (subject: S, circumstances: Circumstances) => Promise<void>;
}

export interface Circumstances {
  readonly run: LoadOnTenant;
  /** How long what is away is away: a minute, or less in the short form. */
  readonly awaySeconds: number;
  /** How long a process is suspended: longer than a lease. */
  readonly suspendedSeconds: number;
  /** How often a process is killed. */
  readonly kills: number;
}
