/** `posthorn rotate-encryption-key`: another key for the secrets at rest; for operator keys, or on the data of a platform that is stopped. */
import type { Command } from 'commander';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { createProgress } from '../terminal/progress.ts';
import type { EncryptionResource } from '../client/resources.ts';
import { examples } from '../root-command.ts';
import {
  rotateEncryptionKey,
  type ResealedStep,
  type RotationSteps,
} from '../encryption/rotate-encryption-key.ts';
import type { Session, WithSession } from '../session.ts';

interface RotateOptions {
  readonly dataDir?: string;
}

export function addRotateEncryptionKeyCommand(root: Command, withSession: WithSession): void {
  root
    .command('rotate-encryption-key')
    .description('seal all secrets at rest with another key, without a stop (operator keys only)')
    .option('--data-dir <path>', 'the data of a platform that is stopped, in place of one that runs')
    .addHelpText(
      'after',
      `${examples('posthorn rotate-encryption-key', 'posthorn rotate-encryption-key --data-dir ./data')}

A platform that keeps its key in the data directory makes a new one, seals everything with it and forgets the old one. Where
POSTHORN_ENCRYPTION_KEY gives the keys, put the new one behind the old one there, restart; put it before the old one, restart; run this;
then leave the old one out and restart. It can be interrupted and run again at any time.`,
    )
    .action(
      withSession(
        async (session, { dataDir }: RotateOptions) => {
          if (dataDir === undefined) return rotate(session, stepsOver(session));
          // Loaded when it is needed: the other commands start faster without the platform.
          const { openOfflineRotation } = await import('../encryption/offline-rotation.ts');
          const { readServeConfig } = await import('../serve-config.ts');
          const config = readServeConfig({ dataDir }, session.io.env);
          const offline = await openOfflineRotation(config.dataDir, config.encryptionKeys);
          try {
            return await rotate(session, offline);
          } finally {
            await offline.close();
          }
        },
        { finishRequests: true },
      ),
    );
}

function stepsOver({ api }: Session): RotationSteps {
  return {
    status: () => api.send<EncryptionResource>('GET', '/v1/encryption', { organisation: null }),
    begin: () => api.send<EncryptionResource>('POST', '/v1/encryption/rotate', { organisation: null }),
    step: (cursor) =>
      api.send<ResealedStep>('POST', '/v1/encryption/reseal', {
        body: cursor === null ? {} : { cursor },
        organisation: null,
      }),
  };
}

async function rotate({ output, io }: Session, steps: RotationSteps): Promise<ExitCode> {
  const progress = createProgress({ stderr: io.stderr, clock: io.clock });
  const result = await rotateEncryptionKey(steps, (resealed, total) =>
    progress.update(() => `${resealed} of ${total} secrets sealed with the new key`),
  );
  progress.end();
  const { resealed, left, encryption } = result;
  await output.item(result, () => [
    ...output.fields({ 'sealing key': encryption.sealingKey, resealed, left }),
    ...(encryption.keys.length > 1 ? ['', ...output.table(encryption.keys, columns)] : []),
  ]);
  if (left > 0) {
    output.note(
      `${left} secrets can't be opened with the key that they were sealed with, which is kept; the log says which.`,
    );
    return exitCodes.failure;
  }
  const spare = encryption.keys.filter(({ id }) => id !== encryption.sealingKey).map(({ id }) => id);
  if (spare.length > 0) {
    output.note(
      `Nothing is sealed with ${spare.join(', ')} any more: leave it out of POSTHORN_ENCRYPTION_KEY and restart.`,
    );
  }
  return exitCodes.ok;
}

const columns = [
  { header: 'KEY', value: ({ id }: { readonly id: string }) => id },
  { header: 'SECRETS', value: ({ secrets }: { readonly secrets: number }) => secrets, align: 'right' },
] as const;
