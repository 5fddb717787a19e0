import { holdsScope } from './api-key.ts';

describe('holdsScope', () => {
  it.each([
    [['events:write'], 'events:write', true],
    [['events:write'], 'events:read', true],
    [['events:read'], 'events:write', false],
    [['deliveries:write'], 'events:read', false],
    [['*'], 'keys:write', true],
    [['deliveries:read'], 'feed:read', true],
    [['deliveries:write'], 'feed:read', true],
    [['feed:read'], 'deliveries:read', false],
    [['endpoints:write'], 'feed:read', false],
    [['events:write'], '*', false],
    [[], 'events:read', false],
  ] as const)('of %j for %s is %j', (held, needed, expected) => {
    expect(holdsScope(held, needed)).toBe(expected);
  });
});
