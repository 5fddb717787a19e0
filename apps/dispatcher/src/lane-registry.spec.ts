import { createLaneRegistry } from './lane-registry.ts';

describe('the lanes', () => {
  it('are one for each endpoint', () => {
    const lanes = createLaneRegistry();
    const lane = lanes.of('org', 'a');
    expect(lanes.of('org', 'a')).toBe(lane);
    expect(lanes.of('org', 'b')).not.toBe(lane);
    expect(lanes.find('a')).toBe(lane);
  });

  it('are found by their organisation until they are forgotten', () => {
    const lanes = createLaneRegistry();
    const [a, b] = [lanes.of('org', 'a'), lanes.of('org', 'b')];
    lanes.of('other', 'c');
    expect([...lanes.ofOrganisation('org')]).toEqual([a, b]);
    lanes.forget(a);
    lanes.forget(a);
    expect([...lanes.ofOrganisation('org')]).toEqual([b]);
    expect(lanes.find('a')).toBeUndefined();
    lanes.forget(b);
    expect([...lanes.ofOrganisation('org')]).toEqual([]);
    expect([...lanes.all()].map(({ endpointId }) => endpointId)).toEqual(['c']);
  });

  it('may be forgotten while they are gone over', () => {
    const lanes = createLaneRegistry();
    for (const id of ['a', 'b', 'c']) lanes.of('org', id);
    const seen: string[] = [];
    for (const lane of lanes.ofOrganisation('org')) {
      seen.push(lane.endpointId);
      lanes.forget(lane);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});
