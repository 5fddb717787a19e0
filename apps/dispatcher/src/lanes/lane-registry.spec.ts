import { createLaneRegistry } from './lane-registry.ts';

describe('the lanes', () => {
  it('are one for each endpoint', () => {
    const lanes = createLaneRegistry();
    const lane = lanes.of('org', 'a');
    expect(lanes.of('org', 'a')).toBe(lane);
    expect(lanes.of('org', 'b')).not.toBe(lane);
    expect(lanes.find('a')).toBe(lane);
  });

  it('are found by their organisation until they rest', () => {
    const lanes = createLaneRegistry();
    const [a, b] = [lanes.of('org', 'a'), lanes.of('org', 'b')];
    lanes.of('other', 'c');
    expect([...lanes.ofOrganisation('org')]).toEqual([a, b]);
    lanes.restIfIdle(a);
    lanes.restIfIdle(a);
    expect([...lanes.ofOrganisation('org')]).toEqual([b]);
    lanes.restIfIdle(b);
    expect([...lanes.ofOrganisation('org')]).toEqual([]);
    expect([...lanes.all()].map(({ endpointId }) => endpointId)).toEqual(['c']);
  });

  it('may go to rest while they are gone over', () => {
    const lanes = createLaneRegistry();
    for (const id of ['a', 'b', 'c']) lanes.of('org', id);
    const seen: string[] = [];
    for (const lane of lanes.ofOrganisation('org')) {
      seen.push(lane.endpointId);
      lanes.restIfIdle(lane);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('are the same ones after a rest', () => {
    const lanes = createLaneRegistry();
    const lane = lanes.of('org', 'a');
    lanes.restIfIdle(lane);
    expect(lanes.find('a')).toBe(lane);
    expect([...lanes.known()]).toEqual([lane]);
    expect(lanes.of('org', 'a')).toBe(lane);
    expect([...lanes.known()]).toEqual([lane]);
    expect([...lanes.all()]).toEqual([lane]);
  });

  it('are forgotten when too many rest, those that have rested for longest first', () => {
    const lanes = createLaneRegistry(2);
    const [a, b, c] = ['a', 'b', 'c'].map((id) => lanes.of('org', id));
    for (const lane of [a, b, a, c]) if (lane !== undefined) lanes.restIfIdle(lane);
    expect([...lanes.known()]).toEqual([b, c]);
    expect(lanes.find('a')).toBeUndefined();
    expect(lanes.of('org', 'a')).not.toBe(a);
  });
});
