import { DomainError } from '@posthorn/models';
import type { Logger } from '@posthorn/runtime';
import type { Keyring } from './keyring.ts';
import type { SecretBox } from './secret-box.ts';
import { sealedKinds, type SealedKind, type SealedRecord, type SealedStore } from './sealed-store.ts';

/**
 * Gives every secret at rest another encryption key while the platform goes on: a new key seals from now on, then every box that another
 * key sealed is opened and sealed anew, page by page, and when nothing is left, the other keys are dropped. Whoever rotates drives it step by
 * step. A step can be repeated, and broken off by a crash: what it resealed stays resealed, and until the end every key is there.
 *
 * No write of an owner is lost: a box is replaced only if nobody wrote its record since it was read. And no box is left behind under a
 * key that is dropped: a record that a call has read before its box was replaced can't be written by that call any more, and calls that
 * began before the new key sealed have ended before it is counted what is left.
 */
export interface KeyRotation {
  status(): Promise<EncryptionStatus>;
  /** See `BeginKeyRotation`: `failed_precondition` where the keys aren't ours to change. */
  begin(): Promise<EncryptionStatus>;
  /** One step, from the cursor of the one before (null: from the beginning). `invalid_argument` for what is no cursor of ours. */
  step(cursor: string | null): Promise<RotationStep>;
}

export interface EncryptionStatus {
  readonly keys: readonly EncryptionKeyUse[];
  readonly isKept: boolean;
}

export interface EncryptionKeyUse {
  readonly id: string;
  /** How many boxes it has sealed. */
  readonly secrets: number;
  /** Whether it is in the keyring: what a missing one has sealed can't be opened. */
  readonly isThere: boolean;
}

export interface RotationStep {
  readonly resealed: number;
  readonly next: string | null;
  /** Known at the end: null before the last step. */
  readonly status: EncryptionStatus | null;
}

export interface KeyRotationOptions {
  readonly keyring: Keyring;
  readonly box: SecretBox;
  readonly store: SealedStore;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly logger: Logger;
  /** Resolves when every call has ended that may have sealed something before now. */
  readonly callsSettled: () => Promise<void>;
  /** How many records a step looks at. */
  readonly pageSize?: number;
}

const newKeyBytes = 32;

export function createKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { keyring, box, store, randomBytes, logger, callsSettled, pageSize = 200 } = options;

  async function status(): Promise<EncryptionStatus> {
    const counts = await store.countByKey();
    const known = keyring.keys.map(({ id }) => ({ id, secrets: counts.get(id) ?? 0, isThere: true }));
    const missing = [...counts]
      .filter(([id]) => keyring.find(id) === undefined)
      .map(([id, secrets]) => ({ id, secrets, isThere: false }));
    return { keys: [...known, ...missing], isKept: keyring.isKept };
  }

  async function reseal(record: SealedRecord): Promise<boolean> {
    const context = `${record.kind}/${record.organisationId}/${record.id}`;
    let sealed: string;
    try {
      sealed = box.seal(box.open(record.sealed, context), context);
    } catch (error) {
      // Whatever broke it: it stays what it is and keeps its key, and holds up none of the others.
      logger.error({ err: error, kind: record.kind, id: record.id }, 'a secret box cannot be opened');
      return false;
    }
    return store.reseal(record, sealed);
  }

  /** Drops the keys that have nothing left to open, if all others have nothing. */
  async function finish(): Promise<EncryptionStatus> {
    if (!keyring.isKept || keyring.keys.length === 1) return status();
    const sealingId = keyring.sealing.id;
    await callsSettled();
    const found = await status();
    const isOver = found.keys.every(({ id, secrets }) => id === sealingId || secrets === 0);
    // Another rotation may have begun meanwhile.
    if (!isOver || keyring.sealing.id !== sealingId || keyring.keys.length === 1) return found;
    keyring.dropOthers();
    return { ...found, keys: found.keys.filter(({ id }) => id === sealingId) };
  }

  return {
    status,

    async begin() {
      if (!keyring.isKept) {
        throw new DomainError(
          'failed_precondition',
          'The encryption keys are given to the processes (POSTHORN_ENCRYPTION_KEY), so a new one has to be given there: behind the old one first, then before it.',
        );
      }
      if (keyring.keys.length === 1) keyring.add(randomBytes(newKeyBytes));
      return status();
    },

    async step(cursor) {
      const { kind, beforeNumber } = readCursor(cursor);
      const exceptKeyId = keyring.sealing.id;
      const page = await store.list({ kind, exceptKeyId, beforeNumber, limit: pageSize });
      const results = await Promise.all(page.map(reseal));
      const resealed = results.filter(Boolean).length;
      const last = page.at(-1);
      const next = page.length < pageSize || last === undefined ? nextKind(kind) : `${kind}:${last.number}`;
      return { resealed, next, status: next === null ? await finish() : null };
    },
  };
}

/** `kind`, or `kind:number` after a page of it. */
function readCursor(cursor: string | null): {
  readonly kind: SealedKind;
  readonly beforeNumber: number | null;
} {
  if (cursor === null) return { kind: sealedKinds[0], beforeNumber: null };
  const [, name, number] = /^([a-z]+)(?::(\d{1,15}))?$/.exec(cursor) ?? [];
  const kind = sealedKinds.find((candidate) => candidate === name);
  if (kind === undefined) {
    const message = 'This must be the cursor of the step before.';
    throw DomainError.invalid([{ field: '/cursor', code: 'invalid_cursor', message }]);
  }
  return { kind, beforeNumber: number === undefined ? null : Number(number) };
}

function nextKind(kind: SealedKind): SealedKind | null {
  return sealedKinds[sealedKinds.indexOf(kind) + 1] ?? null;
}

/**
 * `failed_precondition` when something was sealed with a key that isn't there: better no start than secrets that can't be opened when
 * they are needed. Names the keys.
 */
export function requireAllKeys({ keys }: EncryptionStatus): void {
  const missing = keys.filter(({ isThere }) => !isThere);
  if (missing.length === 0) return;
  const there = keys.filter(({ isThere }) => isThere).map(({ id }) => id);
  const counts = missing.map(({ id, secrets }) => `${id} (of ${secrets})`);
  throw new DomainError(
    'failed_precondition',
    `The secrets of endpoints and policies were sealed with another encryption key; give the one that was used before, behind the one that is to seal (POSTHORN_ENCRYPTION_KEY). Missing: ${counts.join(', ')}; there: ${there.join(', ')}.`,
  );
}
