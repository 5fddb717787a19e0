/** The steps of a key rotation on the data directory of a platform that doesn't run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  configMigrations,
  createSqliteConfigStores,
  openOfflineKeyRotation,
  type EncryptionStatus,
} from '@posthorn/config';
import { DomainError } from '@posthorn/models';
import { createLogger, systemRandom } from '@posthorn/runtime';
import { openSqlite } from '@posthorn/sqlite';
import { keptEncryptionKeys } from './encryption-key.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { EncryptionResource } from '../client/resources.ts';
import type { RotationSteps } from './rotate-encryption-key.ts';

export interface OfflineRotation extends RotationSteps {
  close(): Promise<void>;
}

/** Rejects while the platform runs, and with a missing key as its start would. */
export async function openOfflineRotation(
  dataDir: string,
  given: readonly Uint8Array[] | null,
): Promise<OfflineRotation> {
  const path = join(dataDir, 'posthorn.db');
  if (!existsSync(path)) throw new CliError(exitCodes.failure, `There is no database in ${dataDir}.`);
  const database = orCliError(() => openSqlite({ path, migrations: [configMigrations] }));
  try {
    const rotation = await openOfflineKeyRotation({
      stores: createSqliteConfigStores(database),
      ...(given === null ? keptEncryptionKeys(dataDir) : { encryptionKeys: given }),
      random: systemRandom,
      logger: createLogger({ service: 'posthorn', level: 'warn', destination: 'stderr' }),
    });
    return {
      status: async () => resourceOf(await rotation.status()),
      begin: async () => resourceOf(await rotation.begin()),
      async step(cursor) {
        const { resealed, next, status } = await rotation.step(cursor);
        return { resealed, nextCursor: next, encryption: status && resourceOf(status) };
      },
      close: () => database.close(),
    };
  } catch (error) {
    await database.close();
    throw cliErrorOf(error);
  }
}

function orCliError<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw cliErrorOf(error);
  }
}

/** What we know how to say is for whoever typed the command. */
function cliErrorOf(error: unknown): unknown {
  return error instanceof DomainError ? new CliError(exitCodes.failure, error.message) : error;
}

function resourceOf({ keys, isKept }: EncryptionStatus): EncryptionResource {
  return {
    sealingKey: keys[0]?.id ?? '',
    isKept,
    keys: keys.map(({ id, secrets }) => ({ id, secrets })),
  };
}
