/**
 * The loop of a rotation, whoever takes its steps: the running platform over its API, or this process on the data of a platform that is
 * stopped. It can be broken off anywhere and run again: the keys that are still needed stay.
 */
import type { EncryptionResource } from '../client/resources.ts';

/** What a rotation is made of. */
export interface RotationSteps {
  status(): Promise<EncryptionResource>;
  /** Makes a new key, or goes on with the rotation that is under way. */
  begin(): Promise<EncryptionResource>;
  step(cursor: string | null): Promise<ResealedStep>;
}

export interface ResealedStep {
  readonly resealed: number;
  readonly nextCursor: string | null;
  /** Null before the last step. */
  readonly encryption: EncryptionResource | null;
}

export interface RotationResult {
  readonly resealed: number;
  /** How many secrets are still sealed with another key: 0 unless they can't be opened. */
  readonly left: number;
  readonly encryption: EncryptionResource;
}

/** Rotates until nothing is sealed with another key, or a whole round made no difference. */
export async function rotateEncryptionKey(
  steps: RotationSteps,
  onProgress: (resealed: number, total: number) => void,
): Promise<RotationResult> {
  const before = await steps.status();
  let encryption = before.isKept ? await steps.begin() : before;
  const total = secretsOfOthers(encryption);
  let resealed = 0;
  for (;;) {
    const round = await reseal(steps, (count) => onProgress((resealed += count), total));
    encryption = round.encryption ?? encryption;
    const left = secretsOfOthers(encryption);
    // What was written while the round was under way, or just before the new key sealed, is for another one.
    if (left === 0 || round.resealed === 0) return { resealed, left, encryption };
  }
}

async function reseal(
  steps: RotationSteps,
  onResealed: (count: number) => void,
): Promise<{ readonly resealed: number; readonly encryption: EncryptionResource | null }> {
  let resealed = 0;
  let cursor: string | null = null;
  for (;;) {
    const step = await steps.step(cursor);
    resealed += step.resealed;
    onResealed(step.resealed);
    if (step.nextCursor === null) return { resealed, encryption: step.encryption };
    cursor = step.nextCursor;
  }
}

function secretsOfOthers({ keys, sealingKey }: EncryptionResource): number {
  return keys.filter(({ id }) => id !== sealingKey).reduce((sum, { secrets }) => sum + secrets, 0);
}
