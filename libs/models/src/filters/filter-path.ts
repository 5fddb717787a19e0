/**
 * Dotted paths into a payload, and the values that they lead to. Only own members count, so a payload can't be asked for what every
 * JavaScript object has. At an array a number picks that element, and any other segment goes into each of the elements that are objects.
 */
import type { MatchEffort } from './match-effort.ts';

/** Segments of a path; the number, where a segment reads as one, picks an element of an array. */
export type FilterPath = readonly { readonly name: string; readonly index: number | null }[];

/** How many elements of arrays one clause looks at: a payload may be all array. */
export const maxElementsVisited = 10_000;

/**
 * `customer.country`, `items.0.sku`: members divided by dots. A backslash takes the next character as it is, so `a\.b` is one member.
 * Null when a segment is empty or the text ends in a backslash.
 */
export function parseFilterPath(text: string): FilterPath | null {
  const names: string[] = [];
  let name = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character === '.') {
      names.push(name);
      name = '';
    } else if (character !== '\\') {
      name += character;
    } else if (++i < text.length) {
      name += text.charAt(i);
    } else {
      return null;
    }
  }
  names.push(name);
  if (names.includes('')) return null;
  return names.map((each) => ({
    name: each,
    index: /^(?:0|[1-9]\d{0,8})$/.test(each) ? Number(each) : null,
  }));
}

/**
 * Whether any value at the path is accepted. With `intoElements`, a value that is an array is tried as a whole and then element by
 * element. Stops at the first that is accepted.
 */
export function someValueAt(
  payload: unknown,
  path: FilterPath,
  intoElements: boolean,
  accepts: (value: unknown, effort: MatchEffort) => boolean,
  effort: MatchEffort,
): boolean {
  return walk(payload, { path, intoElements, accepts, effort, left: maxElementsVisited }, 0);
}

interface Walk {
  readonly path: FilterPath;
  readonly intoElements: boolean;
  readonly accepts: (value: unknown, effort: MatchEffort) => boolean;
  readonly effort: MatchEffort;
  left: number;
}

function walk(start: unknown, state: Walk, from: number): boolean {
  let value = start;
  for (let i = from; i < state.path.length; i++) {
    const segment = state.path[i];
    if (segment === undefined) return false;
    if (Array.isArray(value)) {
      const elements: readonly unknown[] = value;
      if (segment.index === null) return walkElements(elements, state, i);
      if (segment.index >= elements.length) return false;
      value = elements[segment.index];
    } else {
      if (!isRecord(value) || !Object.hasOwn(value, segment.name)) return false;
      value = value[segment.name];
    }
  }
  if (isAccepted(value, state)) return true;
  if (!state.intoElements || !Array.isArray(value)) return false;
  const elements: readonly unknown[] = value;
  return elements.some((element) => state.left-- > 0 && isAccepted(element, state));
}

function walkElements(elements: readonly unknown[], state: Walk, from: number): boolean {
  for (const element of elements) {
    if (state.left-- <= 0) return false;
    state.effort.spend(1);
    if (isRecord(element) && walk(element, state, from)) return true;
  }
  return false;
}

function isAccepted(value: unknown, { accepts, effort }: Walk): boolean {
  effort.spend(1);
  return accepts(value, effort);
}

/** Whether the value is a JSON object: not null, not an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
