import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@posthorn/testing';
import {
  collectChoices,
  collectPairs,
  httpUrl,
  laterMoment,
  moment,
  numberList,
  rateLimit,
  readData,
  wholeNumber,
} from './arguments.ts';
import { createTestIo } from './terminal/io.harness.ts';

test.each(['', '-1', '1.5', '1e3', 'ten', '11', ' 5'])('wholeNumber refuses %j', (text) => {
  expect(() => wholeNumber(0, 10)(text)).toThrow('a whole number from 0 to 10');
});

test('collectPairs keeps = signs of the value, and the last value of a name', () => {
  expect(collectPairs('b=x=y', collectPairs('b=1', { a: '1' }))).toEqual({ a: '1', b: 'x=y' });
  expect(() => collectPairs('=x', undefined)).toThrow('name=value');
});

test('collectChoices adds values up', () => {
  expect(collectChoices('region=us', collectChoices('region=eu,asia', undefined))).toEqual({
    region: ['eu', 'asia', 'us'],
  });
});

test('numberList reads none, one and many', () => {
  expect(numberList('')).toEqual([]);
  expect(numberList('5')).toEqual([5]);
  expect(numberList('1000, 2000')).toEqual([1000, 2000]);
  expect(() => numberList('1,,2')).toThrow('whole number');
});

test('rateLimit reads a rate by the second, minute or hour, and a burst', () => {
  expect(rateLimit('10/s')).toEqual({ perSecond: 10 });
  expect(rateLimit('0.5/s,20')).toEqual({ perSecond: 0.5, burst: 20 });
  expect(rateLimit('30/min')).toEqual({ perSecond: 0.5 });
  expect(rateLimit('900/h,1')).toEqual({ perSecond: 0.25, burst: 1 });
});

test.each(['', '10', '10/d', '-1/s', '10/s,', '10/s,1.5', 'a/s'])('rateLimit refuses %j', (text) => {
  expect(() => rateLimit(text)).toThrow('10/s');
});

describe('moment', () => {
  const clock = new FakeClock(Date.parse('2026-03-01T12:00:00.000Z'));

  test.each([
    ['90s', '2026-03-01T11:58:30.000Z'],
    ['15m', '2026-03-01T11:45:00.000Z'],
    ['2h', '2026-03-01T10:00:00.000Z'],
    ['3d', '2026-02-26T12:00:00.000Z'],
    ['2026-01-31T12:00:00+01:00', '2026-01-31T11:00:00.000Z'],
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(moment(text).at(clock)).toBe(expected);
  });

  test.each(['', 'yesterday', '5', '5w', '31.01.2026', '2026-13-01', '99999999999d'])(
    'refuses %j',
    (text) => {
      expect(() => moment(text)).toThrow('such as');
    },
  );
});

test('laterMoment reads a delay from now, or a time', () => {
  const clock = new FakeClock(Date.parse('2026-03-01T12:00:00.000Z'));
  expect(laterMoment('90s').at(clock)).toBe('2026-03-01T12:01:30.000Z');
  expect(laterMoment('3d').at(clock)).toBe('2026-03-04T12:00:00.000Z');
  expect(laterMoment('2026-01-31T12:00:00+01:00').at(clock)).toBe('2026-01-31T11:00:00.000Z');
  expect(() => laterMoment('tomorrow')).toThrow('a delay such as');
  expect(() => laterMoment('99999999999d')).toThrow('a delay such as');
});

test.each(['ftp://x', 'example.com', 'http://', ''])('httpUrl refuses %j', (text) => {
  expect(() => httpUrl(text)).toThrow('http');
});

describe('readData', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-arguments-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  test('takes text as it is, a file with @, and standard input with -', async () => {
    const file = join(directory, 'data.json');
    writeFileSync(file, '{"é":1}');
    const io = createTestIo({ stdin: 'from stdin' });
    expect(await readData('{}', io)).toBe('{}');
    expect(await readData(`@${file}`, io)).toBe('{"é":1}');
    expect(await readData('-', io)).toBe('from stdin');
  });

  test('says why a file can not be read', async () => {
    const io = createTestIo();
    await expect(readData(`@${join(directory, 'none')}`, io)).rejects.toThrow('there is no such file');
    await expect(readData(`@${directory}`, io)).rejects.toThrow('it is a directory');
  });

  test('refuses what is not UTF-8', async () => {
    const io = createTestIo({ stdin: new Uint8Array([0xff, 0xfe]) });
    await expect(readData('-', io)).rejects.toThrow("isn't UTF-8");
  });
});
