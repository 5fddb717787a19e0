import { idFloor } from '@posthorn/models';
import { createExpiry, expiring, noExpiry } from './expiry.ts';
import { directoryOf } from '../lanes/lanes.harness.ts';

const dayMs = 86_400_000;
const at = new Date('2026-01-01T00:00:00.000Z');
const after = (days: number): Date => new Date(at.getTime() + days * dayMs);

describe('expiry', () => {
  it('says when things go, by what their organisation keeps', () => {
    const expiry = createExpiry();
    expiry.follow(directoryOf(new Map()));
    expect(expiry.payloadUntil('org', at)).toEqual(after(30));
    expect(expiry.deliveryUntil('org', idFloor(at.getTime()))).toEqual(after(90));
    expect(expiry.taskUntil('org', at)).toEqual(after(90));
  });

  it('says nothing while it is not known what an organisation keeps', () => {
    const expiry = createExpiry();
    expect(expiry.payloadUntil('org', at)).toBeNull();
    expiry.follow({ organisation: () => null });
    expect(expiry.deliveryUntil('org', idFloor(at.getTime()))).toBeNull();
    expect(expiring(noExpiry.taskUntil('org', at))).toEqual({});
  });
});
