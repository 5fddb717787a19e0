import { DomainError } from '@posthorn/models';
import { FakeClock } from '@posthorn/testing';
import { MongoNetworkError, MongoServerError } from 'mongodb';
import { withRetries } from './retry.ts';

const gone = () => new MongoNetworkError('connection 3 to 127.0.0.1:27017 closed');

describe('an operation while the database is away', () => {
  const start = (operation: () => Promise<unknown>, timeoutMs = 8000) => {
    const clock = new FakeClock();
    let retries = 0;
    const result = withRetries(operation, { clock, timeoutMs, onRetry: () => (retries += 1) });
    const settled = result.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    return { clock, settled, retries: () => retries };
  };

  it('is tried again until it succeeds', async () => {
    let tries = 0;
    const { clock, settled, retries } = start(async () => {
      tries += 1;
      if (tries < 4) throw gone();
      return 'done';
    });
    await clock.advanceAsync(2000);
    expect(await settled).toEqual({ value: 'done' });
    expect(retries()).toBe(3);
  });

  it('ends as unavailable when its time is up, with what happened as the cause', async () => {
    const error = gone();
    const { clock, settled } = start(() => Promise.reject(error));
    await clock.advanceAsync(8000);
    expect(await settled).toMatchObject({ error: { code: 'unavailable', cause: error } });
  });

  it('ends as unavailable when no answer comes at all', async () => {
    const { clock, settled } = start(() => new Promise(() => undefined));
    await clock.advanceAsync(8000);
    expect(await settled).toMatchObject({ error: { code: 'unavailable' } });
  });

  it('is not tried again when the fault is in the operation', async () => {
    const mistake = new MongoServerError({ message: 'unknown operator: $frobnicate', code: 2 });
    const { settled, retries } = start(() => Promise.reject(mistake));
    expect(await settled).toEqual({ error: mistake });
    const refused = new DomainError('not_found', 'There is none.');
    expect(await start(() => Promise.reject(refused)).settled).toEqual({ error: refused });
    expect(retries()).toBe(0);
  });
});
