import { eventually } from './eventually.ts';

describe('eventually', () => {
  it('gives the value as soon as the condition holds', async () => {
    let asked = 0;
    await expect(eventually(() => ++asked >= 3 && 'done', { everyMs: 0 })).resolves.toBe('done');
    expect(asked).toBe(3);
  });

  it('takes a condition that throws as one that does not hold yet', async () => {
    let asked = 0;
    await eventually(() => expect(++asked).toBe(2), { everyMs: 0 });
    expect(asked).toBe(2);
  });

  it('fails after the deadline with what was waited for and the last words of the condition', async () => {
    const never = eventually(
      async () => {
        throw new Error('still 4');
      },
      { timeoutMs: 5, message: 'The queue being empty' },
    );
    await expect(never).rejects.toThrow('The queue being empty did not hold within 5 ms: still 4');
    await expect(eventually(() => false, { timeoutMs: 5 })).rejects.toThrow('it was false');
  });
});
