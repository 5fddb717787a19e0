/**
 * JSON that keeps what it isn't asked to change: a number that a double can't hold as it was written
 * (12345678901234567890, 1.0) travels as its source text from parse to print.
 */

interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** The "JSON.parse source text access" proposal, which Node.js 24 implements and TypeScript's library doesn't know yet. */
const json: JsonWithSource = JSON as typeof JSON & JsonWithSource;

/** Parses JSON; numbers whose text JavaScript would print differently stay text inside. Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}
