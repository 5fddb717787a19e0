import type { DomainError } from '@posthorn/models';
import { findEvents } from './batch-body.ts';

function find(text: string, contentType?: string): string[] {
  const body = Buffer.from(text);
  return findEvents(body, contentType).map(({ start, end }) => body.toString('utf8', start, end));
}

function refusal(text: string, contentType?: string): string[] {
  try {
    find(text, contentType);
  } catch (error) {
    return (error as DomainError).violations.map(({ field, code }) => `${field} ${code}`);
  }
  return [];
}

const ndjson = 'application/x-ndjson';

describe('finding the events of a batch', () => {
  it('finds the elements of "events", whatever they are', () => {
    expect(find(' { "events" : [ {"a":"]"} , 1,"x" ,{}\n] } ')).toEqual(['{"a":"]"}', '1', '"x"', '{}']);
    expect(find('{"events":[]}')).toEqual([]);
  });

  it('finds the lines of NDJSON, without the blank ones', () => {
    expect(find('{"a":1}\n\n {"b":2} \r\n\t\n3', ndjson)).toEqual(['{"a":1}', ' {"b":2} \r', '3']);
    expect(find('', ndjson)).toEqual([]);
    expect(find('1\n', 'application/x-ndjson; charset=utf-8')).toEqual(['1']);
  });

  it.each([
    ['[]', ' wrong_type'],
    ['nonsense', ' wrong_type'],
    ['{}', '/events required'],
    ['{"events":{}}', '/events wrong_type'],
    ['{"events":[1 2]}', '/events unexpected'],
    ['{"events":[1,]}', '/events unexpected'],
    ['{"events":[1', expect.stringContaining('truncated')],
    ['{"events":[],"events":[]}', ' duplicate_key'],
  ])('refuses %s', (text, expected) => {
    expect(refusal(text)).toEqual([expected]);
  });

  it('names unknown fields', () => {
    expect(refusal('{"events":[],"more":1}')).toEqual(['/more unknown_field']);
  });

  it('takes 1,000 events, and not one more', () => {
    const events = (count: number): string =>
      `{"events":[${Array.from({ length: count }, () => '{}').join()}]}`;
    expect(find(events(1000))).toHaveLength(1000);
    expect(refusal(events(1001))).toEqual(['/events too_many']);
    expect(find('{}\n'.repeat(1000), ndjson)).toHaveLength(1000);
    expect(refusal('{}\n'.repeat(1001), ndjson)).toEqual(['/events too_many']);
  });
});
