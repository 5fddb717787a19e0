import type { EncryptionResource } from '../client/resources.ts';
import { rotateEncryptionKey, type RotationSteps } from './rotate-encryption-key.ts';

/** A platform with secrets by key, of which each step seals two anew; `arrive` is what others write under the old key meanwhile. */
function startPlatform({ secrets = 5, broken = 0, isKept = true, arrive = [] as number[] } = {}) {
  let keys = isKept
    ? [{ id: 'old', secrets }]
    : [
        { id: 'new', secrets: 0 },
        { id: 'old', secrets },
      ];
  const calls: string[] = [];
  const encryption = (): EncryptionResource => ({ sealingKey: keys[0]?.id ?? '', isKept, keys });
  const steps: RotationSteps = {
    status: () => Promise.resolve(encryption()),
    begin() {
      calls.push('begin');
      if (keys.length === 1) keys = [{ id: 'new', secrets: 0 }, ...keys];
      return Promise.resolve(encryption());
    },
    step(cursor) {
      calls.push(`step ${cursor}`);
      const [sealing, old] = keys;
      if (sealing === undefined || old === undefined) {
        return Promise.resolve({ resealed: 0, nextCursor: null, encryption: encryption() });
      }
      const resealed = Math.min(2, old.secrets - broken);
      sealing.secrets += resealed;
      old.secrets -= resealed;
      if (old.secrets > broken) return Promise.resolve({ resealed, nextCursor: 'on', encryption: null });
      old.secrets += arrive.shift() ?? 0;
      if (old.secrets === 0 && isKept) keys = [sealing];
      return Promise.resolve({ resealed, nextCursor: null, encryption: encryption() });
    },
  };
  return { steps, calls };
}

it('takes step after step until nothing is sealed with another key, and tells how far it is', async () => {
  const { steps, calls } = startPlatform();
  const progress: string[] = [];
  const result = await rotateEncryptionKey(steps, (resealed, total) => progress.push(`${resealed}/${total}`));
  expect(result).toEqual({
    resealed: 5,
    left: 0,
    encryption: { sealingKey: 'new', isKept: true, keys: [{ id: 'new', secrets: 5 }] },
  });
  expect(progress).toEqual(['2/5', '4/5', '5/5']);
  expect(calls).toEqual(['begin', 'step null', 'step on', 'step on']);
});

it('goes round again for what was written with the old key meanwhile', async () => {
  const { steps } = startPlatform({ arrive: [3, 1] });
  expect(await rotateEncryptionKey(steps, () => undefined)).toMatchObject({ resealed: 9, left: 0 });
});

it('gives up on what no round can seal, and says how much that is', async () => {
  const { steps } = startPlatform({ broken: 1 });
  expect(await rotateEncryptionKey(steps, () => undefined)).toMatchObject({ resealed: 4, left: 1 });
});

it('makes no key where they are given from outside', async () => {
  const { steps, calls } = startPlatform({ isKept: false });
  expect(await rotateEncryptionKey(steps, () => undefined)).toMatchObject({ resealed: 5, left: 0 });
  expect(calls).not.toContain('begin');
});
