import { DomainError } from '@posthorn/models';
import { systemClock, type Clock, type Timer } from './clock.ts';
import { createLogger } from './logger.ts';
import { createReadiness, type Readiness } from './readiness.ts';

const away = new DomainError('unavailable', 'No server of the database answers.', {
  cause: new Error('connect ECONNREFUSED 127.0.0.1:27017'),
});

describe('readiness', () => {
  let waits: number[];
  let log: string[];
  let readiness: Readiness;
  /** What is to happen while the process waits. */
  let meanwhile: () => void;

  beforeEach(() => {
    waits = [];
    log = [];
    meanwhile = () => undefined;
    const clock: Clock = {
      ...systemClock,
      setTimeout(fn, ms): Timer {
        waits.push(ms);
        const immediate = setImmediate(() => {
          meanwhile();
          fn();
        });
        return { unref: () => immediate.unref() };
      },
      clearTimeout: () => undefined,
    };
    const logger = createLogger({ service: 'test', destination: { write: (line) => log.push(line) } });
    readiness = createReadiness({ clock, logger });
  });

  it('is there once the start is over, and until the stop begins', () => {
    expect(readiness.reasons()).toEqual(['starting']);
    readiness.started();
    expect(readiness.reasons()).toEqual([]);
    readiness.stopping();
    expect(readiness.reasons()).toEqual(['stopping']);
  });

  it('waits for what is away as long as it takes, and says why', async () => {
    const seen: string[] = [];
    meanwhile = () => seen.push(...readiness.reasons());
    let attempts = 0;

    const connection = await readiness.waitFor('MongoDB', () =>
      ++attempts <= 6 ? Promise.reject(away) : Promise.resolve('connected'),
    );

    expect(connection).toBe('connected');
    expect(waits).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
    expect(new Set(seen)).toEqual(
      new Set([
        'waiting for MongoDB: No server of the database answers. (connect ECONNREFUSED 127.0.0.1:27017)',
      ]),
    );
    expect(readiness.reasons()).toEqual(['starting']);
    expect(log[0]).toContain('waiting for MongoDB');
    expect(log.at(-1)).toContain('no longer waiting');
  });

  it('tells what it connects to, before anything is known to be away', async () => {
    const connecting = readiness.waitFor('MongoDB', () => new Promise(setImmediate));
    expect(readiness.reasons()).toEqual(['waiting for MongoDB: connecting']);
    await connecting;
    expect(readiness.reasons()).toEqual(['starting']);
    expect(log).toEqual([]);
  });

  it('tells what gRPC said of a service that is away', async () => {
    const grpc = new DomainError('unavailable', 'A service is away.', { cause: { details: 'no such name' } });
    let reasons: readonly string[] = [];
    meanwhile = () => (reasons = readiness.reasons());
    let attempts = 0;
    await readiness.waitFor('config', () => (++attempts === 1 ? Promise.reject(grpc) : Promise.resolve()));
    expect(reasons).toEqual(['waiting for config: A service is away. (no such name)']);
  });

  it('does not wait for what only a person can mend', async () => {
    const wrong = new DomainError('failed_precondition', 'The credentials are refused.');
    await expect(readiness.waitFor('MongoDB', () => Promise.reject(wrong))).rejects.toBe(wrong);
    await expect(readiness.waitFor('MongoDB', () => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
    expect(waits).toEqual([]);
  });

  it('waits no longer once the process stops', async () => {
    meanwhile = () => readiness.stopping();
    await expect(readiness.waitFor('Kafka', () => Promise.reject(away))).rejects.toThrow(
      'stopped while waiting for Kafka',
    );
  });
});
