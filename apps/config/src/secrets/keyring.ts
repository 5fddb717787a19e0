import { createHash } from 'node:crypto';

/**
 * The deployment's encryption keys: the first seals, all open. A key has an id that tells nothing about it, which every box carries.
 * Where the keys are kept in a file of ours, they can be changed while the process runs; the file always comes first, so that nothing is
 * ever sealed with a key that a crash would take along. Where they are given by the environment, they stay what they were at the start.
 */
export interface Keyring {
  /** What new boxes are sealed with. */
  readonly sealing: EncryptionKey;
  /** All that open, the sealing one first. */
  readonly keys: readonly EncryptionKey[];
  /** Whether `add` and `dropOthers` can be called: the keys are in a file of ours. */
  readonly isKept: boolean;
  find(id: string): EncryptionKey | undefined;
  /** Puts a key in front: from now on it seals. It is in the file by then. */
  add(key: Uint8Array): void;
  /** Leaves nothing but the sealing key. Whatever the others sealed can't be opened any more. */
  dropOthers(): void;
}

export interface EncryptionKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Where keys are kept between starts. */
export interface KeyFile {
  /** Replaces all of them, durably and at once; throws when that fails, and the file is what it was. */
  write(keys: readonly Uint8Array[]): void;
}

const keyBytes = 32;

/**
 * @param given 32 bytes each, at least one; the first seals
 * @param file where they are kept; null: they were given, and nobody here may change them
 */
export function createKeyring(given: readonly Uint8Array[], file: KeyFile | null = null): Keyring {
  // A key that was given twice is one.
  let keys = [...new Map(given.map((bytes) => [keyIdOf(bytes), bytes]))].map(([id, bytes]) => ({
    id,
    bytes,
  }));

  function sealingKey(): EncryptionKey {
    const [first] = keys;
    if (first === undefined) throw new RangeError('a keyring needs a key');
    return first;
  }

  function replace(next: readonly EncryptionKey[]): void {
    if (file === null) throw new Error('the encryption keys were given, and are not ours to change');
    file.write(next.map(({ bytes }) => bytes));
    keys = [...next];
  }

  sealingKey();
  return {
    get sealing() {
      return sealingKey();
    },
    get keys() {
      return keys;
    },
    isKept: file !== null,
    find: (id) => keys.find((key) => key.id === id),
    add: (bytes) => replace([{ id: keyIdOf(bytes), bytes }, ...keys]),
    dropOthers: () => replace([sealingKey()]),
  };
}

/** Names a key without telling anything about it. */
function keyIdOf(key: Uint8Array): string {
  if (key.length !== keyBytes)
    throw new RangeError(`an encryption key has ${keyBytes} bytes, not ${key.length}`);
  return createHash('sha256').update('posthorn key id').update(key).digest('base64url').slice(0, keyIdLength);
}

/** How many characters of base64url an id has. */
export const keyIdLength = 8;
