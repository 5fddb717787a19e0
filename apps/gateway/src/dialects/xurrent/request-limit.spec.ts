import type { Principal } from '@posthorn/models';
import { systemClock } from '@posthorn/runtime';
import { startTestGateway } from '../../testing/test-gateway.harness.ts';
import { standardDialects } from '../settings.ts';
import { createRequestLimit } from './request-limit.ts';

let nowMs = Date.parse('2026-01-31T12:00:00.000Z');
const clock = { ...systemClock, now: () => nowMs };
const key = (id: string): Principal => ({ kind: 'key', id, organisationId: null, scopes: ['*'] });

test('in no hour are there more than the limit, wherever that hour begins', () => {
  const limit = createRequestLimit(3, clock);
  const admitted: number[] = [];
  for (let second = 0; second < 3 * 3_600; second += 97) {
    nowMs += 97_000;
    try {
      limit.admit(key('a'));
      admitted.push(nowMs);
    } catch {
      expect(limit.headers(key('a'))['X-RateLimit-Remaining']).toBe('0');
    }
  }
  const inHourFrom = (from: number): number =>
    admitted.filter((at) => at >= from && at < from + 3_600_000).length;
  expect(Math.max(...admitted.map(inHourFrom))).toBe(3);
  expect(admitted.length).toBeGreaterThanOrEqual(9);
});

test('one key’s requests don’t count for another', () => {
  const limit = createRequestLimit(1, clock);
  limit.admit(key('a'));
  limit.admit(key('b'));
  expect(() => limit.admit(key('a'))).toThrow('Too many requests');
});

test('what was refused doesn’t count, and Retry-After leads to where there is room again', () => {
  const limit = createRequestLimit(1, clock);
  limit.admit(key('a'));
  nowMs += 1_000_000;
  for (let again = 0; again < 5; again++)
    expect(() => limit.admit(key('a'))).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterMs: 2_600_000 }) as Error,
    );
  nowMs += 2_600_000;
  expect(() => limit.admit(key('a'))).not.toThrow();
});

test('429 {"message":"Too Many Requests","documentation_url"} with Retry-After', async () => {
  const running = await startTestGateway({
    config: { dialects: { xurrent: { ...standardDialects.xurrent, requestsPerHour: 1 } } },
  });
  await running.call('GET', '/webhook_policies/x');
  const answer = await running.call('GET', '/webhook_policies/x');
  expect([answer.status, answer.body]).toEqual([
    429,
    { message: 'Too Many Requests', documentation_url: expect.stringMatching(/^https:/) as unknown },
  ]);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3_500);
  expect([answer.headers.get('x-ratelimit-limit'), answer.headers.get('x-ratelimit-remaining')]).toEqual([
    '1',
    '0',
  ]);
  await running.gateway.stop(1_000);
});
