import type { Logger, Random } from '@posthorn/runtime';
import { createKeyring, type KeyFile } from './keyring.ts';
import { createKeyRotation, requireAllKeys, type KeyRotation } from './key-rotation.ts';
import { createSecretBox } from './secret-box.ts';
import type { ConfigStores } from '../stores/stores.ts';

export interface OfflineKeyRotationOptions {
  readonly stores: Pick<ConfigStores, 'sealed'>;
  /** 32 bytes each: the first seals, all open. */
  readonly encryptionKeys: readonly Uint8Array[];
  /** Where these keys are kept, if that is up to us. */
  readonly encryptionKeyFile?: KeyFile | undefined;
  readonly random: Random;
  readonly logger: Logger;
}

/** A rotation on stores that nobody else writes to: the service doesn't run. Rejects as its start would. */
export async function openOfflineKeyRotation(options: OfflineKeyRotationOptions): Promise<KeyRotation> {
  const { stores, encryptionKeys, encryptionKeyFile, random, logger } = options;
  const randomBytes = (length: number): Uint8Array => random.bytes(length);
  const keyring = createKeyring(encryptionKeys, encryptionKeyFile);
  const rotation = createKeyRotation({
    keyring,
    box: createSecretBox(keyring, randomBytes),
    store: stores.sealed,
    randomBytes,
    logger,
    // There are no calls.
    callsSettled: () => Promise.resolve(),
  });
  requireAllKeys(await rotation.status());
  return rotation;
}
