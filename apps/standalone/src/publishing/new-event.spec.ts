import fc from 'fast-check';
import { parseExactJson } from '../client/exact-json.ts';
import { eventOfPayload, eventOfText, objectWithData } from './new-event.ts';

const mintId = (): string => 'minted';

describe('eventOfPayload', () => {
  test('keeps the very text of the payload', () => {
    const payload = '{ "n": 12345678901234567890, "x": 1.0, "e": "\\u00e9" }';
    const { json } = eventOfPayload(payload, { type: 'order.paid' }, mintId);
    expect(json).toBe(`{"type":"order.paid","id":"minted","data":${payload}}`);
  });

  test.each([
    [{ type: 't', id: 'mine' }, '{"type":"t","id":"mine","data":1}'],
    [{ type: 't', idempotencyKey: 'k' }, '{"type":"t","idempotencyKey":"k","data":1}'],
  ])('leaves the identity to a producer that has one of its own: %j', (fields, json) => {
    expect(eventOfPayload('1', fields, mintId)).toEqual({ json, isKeyed: true });
  });

  test('refuses what is not JSON', () => {
    expect(() => eventOfPayload('{bad', { type: 't' }, mintId)).toThrow(SyntaxError);
  });
});

describe('eventOfText', () => {
  test('gives an id to an event without one, and changes nothing else of its text', () => {
    const text = '  { "type":"t", "data": 1.0 } ';
    expect(eventOfText(text, mintId)).toEqual({
      json: '{"id":"minted", "type":"t", "data": 1.0 }',
      isKeyed: false,
    });
  });

  test.each(['{"id":"a","type":"t","data":1}', '{"type":"t","data":1,"idempotencyKey":"k"}'])(
    'leaves an event with an identity as it is: %s',
    (text) => {
      expect(eventOfText(text, mintId)).toEqual({ json: text, isKeyed: true });
    },
  );

  test('an empty object stays JSON', () => {
    expect(JSON.parse(eventOfText('{ }', mintId).json)).toEqual({ id: 'minted' });
  });

  test.each(['[]', 'null', '"text"', '1'])('refuses %s, which is no object', (text) => {
    expect(() => eventOfText(text, mintId)).toThrow(TypeError);
  });

  test('makes one event of any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (event) => {
        const { json } = eventOfText(JSON.stringify(event), mintId);
        expect(JSON.parse(json)).toEqual({ id: 'minted', ...(JSON.parse(JSON.stringify(event)) as object) });
      }),
    );
  });
});

test('objectWithData makes an object of data alone', () => {
  expect(objectWithData({ type: undefined }, '[1]')).toBe('{"data":[1]}');
});

describe('parseExactJson', () => {
  test.each([
    '12345678901234567890',
    '1.0',
    '1e400',
    '-0',
    '0.1',
    '[1.50,{"a":100000000000000000001}]',
    '"1.0"',
  ])('prints %s as it was written', (text) => {
    expect(JSON.stringify(parseExactJson(text))).toBe(text);
  });

  test('gives ordinary numbers as numbers', () => {
    expect(parseExactJson('{"a":42,"b":1.5}')).toEqual({ a: 42, b: 1.5 });
  });
});
