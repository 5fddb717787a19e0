import { FakeClock } from '@posthorn/testing';
import { createDueClock } from './due-clock.ts';

const hourMs = 3_600_000;

describe('the due clock', () => {
  it('shows what the wall clock shows as long as that only goes forwards', () => {
    const clock = new FakeClock();
    const due = createDueClock(clock);
    clock.advance(1234);
    expect(due.now()).toBe(clock.now());
    clock.jump(hourMs);
    expect(due.now()).toBe(clock.now());
    expect(due.toWall(new Date(clock.now() + 5))).toEqual(new Date(clock.now() + 5));
  });

  it('goes on at its pace when the wall clock is set back', () => {
    const clock = new FakeClock();
    const due = createDueClock(clock);
    const before = due.now();
    clock.jump(-hourMs);
    expect(due.now()).toBe(before);
    clock.advance(5000);
    expect(due.now()).toBe(before + 5000);
  });

  it('does not fall behind while nobody asks it', () => {
    const clock = new FakeClock();
    const due = createDueClock(clock);
    const before = due.now();
    clock.advance(5000);
    clock.jump(-hourMs);
    expect(due.now()).toBe(before + 5000);
  });

  it('follows the wall clock again once that has caught up', () => {
    const clock = new FakeClock();
    const due = createDueClock(clock);
    clock.jump(-hourMs);
    due.now();
    clock.jump(2 * hourMs);
    expect(due.now()).toBe(clock.now());
  });

  it('translates between what is due and what the wall clock will show then', () => {
    const clock = new FakeClock();
    const due = createDueClock(clock);
    clock.jump(-hourMs);
    const inFiveSeconds = new Date(clock.now() + 5000);
    expect(due.fromWall(inFiveSeconds).getTime()).toBe(due.now() + 5000);
    expect(due.toWall(due.fromWall(inFiveSeconds))).toEqual(inFiveSeconds);
  });
});
