/**
 * A query string as its pairs, decoded, in the order in which they came. Nothing is refused here: what isn't percent-encoded UTF-8
 * stays as it was sent, and what is repeated, empty or unknown is for each dialect to judge as its original does.
 */
export interface Query {
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** The value given last; undefined where the parameter is absent. */
  last(name: string): string | undefined;
  /** All values of a parameter that may be repeated. */
  all(name: string): readonly string[];
}

/** Parses what is after the `?`; `+` is a space. */
export function parseQuery(text: string): Query {
  const pairs = text
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals === -1
        ? ([decode(part), ''] as const)
        : ([decode(part.slice(0, equals)), decode(part.slice(equals + 1))] as const);
    });
  return {
    pairs,
    last: (name) => pairs.findLast(([key]) => key === name)?.[1],
    all: (name) => pairs.filter(([key]) => key === name).map(([, value]) => value),
  };
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
