import { configV1 } from '@posthorn/contracts';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import { requireOperator } from '../authority.ts';
import type { EncryptionStatus, KeyRotation } from './key-rotation.ts';

/** EncryptionService, for operators and our own services: see key-rotation.ts. */
export function createEncryptionService(
  rotation: KeyRotation,
): ServiceRegistration<typeof configV1.EncryptionServiceService> {
  return defineService(configV1.EncryptionServiceService, {
    async getEncryption(_request, { principal }) {
      requireOperator(principal);
      return { encryption: toMessage(await rotation.status()) };
    },

    async beginKeyRotation(_request, { principal }) {
      requireOperator(principal);
      return { encryption: toMessage(await rotation.begin()) };
    },

    async resealSecrets({ cursor }, { principal }) {
      requireOperator(principal);
      const { resealed, next, status } = await rotation.step(cursor === '' ? null : cursor);
      return {
        resealed,
        nextCursor: next ?? '',
        encryption: status === null ? undefined : toMessage(status),
      };
    },
  });
}

function toMessage({ keys, isKept }: EncryptionStatus): configV1.Encryption {
  return { keys: keys.map(({ id, secrets }) => ({ id, secrets: BigInt(secrets) })), isKept };
}
