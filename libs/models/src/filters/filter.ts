import type { Violation } from '../errors.ts';
import { filterOperators, type Operator } from './filter-operator.ts';
import { isRecord, parseFilterPath, someValueAt } from './filter-path.ts';
import { pointerTo } from '../json/json-pointer.ts';
import { MatchEffort } from './match-effort.ts';

/**
 * The payload filter language (docs/filters.md): JSON in the manner of MongoDB's queries. A filter is checked as a whole when it is
 * written; one that passed answers for every payload, unless that takes too much effort (match-effort.ts).
 */
export interface Filter {
  /** Throws `failed_precondition` when it takes more than what is left of the effort; on its own a filter has all of it. */
  readonly matches: (payload: unknown, effort?: MatchEffort) => boolean;
  /** The answer and, for people, the first clause that decided it. Throws as `matches` does. */
  readonly explain: (payload: unknown) => FilterVerdict;
}

export interface FilterVerdict {
  readonly matches: boolean;
  readonly because: string;
}

export type CompiledFilter =
  | { readonly ok: true; readonly filter: Filter }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** How deep objects and arrays may be nested in a filter. */
export const maxFilterDepth = 16;
/** How long a filter may be, in bytes of JSON without white space. */
export const maxFilterBytes = 16 * 1024;
/** How many clauses a filter may have: operators and implicit comparisons. */
export const maxFilterClauses = 256;

/** A filter from its JSON, or everything that is wrong with it; `at` is the pointer to the filter in what the caller was given. */
export function compileFilter(json: unknown, at = ''): CompiledFilter {
  const oversize = sizeViolation(json, at);
  if (oversize !== null) return { ok: false, violations: [oversize] };
  const compilation: Compilation = { violations: [], clauses: 0 };
  const rule = compileObject(json, at, compilation, true);
  if (compilation.clauses > maxFilterClauses) {
    const message = `A filter may have at most ${maxFilterClauses} clauses; this one has ${compilation.clauses}.`;
    compilation.violations.push({ field: at, code: 'too_many', message });
  }
  if (compilation.violations.length > 0) return { ok: false, violations: compilation.violations };
  return {
    ok: true,
    filter: {
      matches: (payload, effort = new MatchEffort()) => rule.test(payload, effort),
      explain(payload) {
        const effort = new MatchEffort();
        return { matches: rule.test(payload, effort), because: rule.explain(payload, effort) };
      },
    },
  };
}

/** Everything that is wrong with a filter; empty: it can be compiled. */
export function checkFilter(json: unknown, at = ''): readonly Violation[] {
  const compiled = compileFilter(json, at);
  return compiled.ok ? [] : compiled.violations;
}

/** A part of a filter: what it says of a payload, and the sentence that says why. */
interface Rule {
  readonly test: (payload: unknown, effort: MatchEffort) => boolean;
  readonly explain: (payload: unknown, effort: MatchEffort) => string;
}

interface Compilation {
  readonly violations: Violation[];
  clauses: number;
}

/** `{"path": condition, "$and": […], …}`: all of its members must hold. */
function compileObject(json: unknown, at: string, compilation: Compilation, mayBeEmpty = false): Rule {
  if (!isRecord(json)) return refuse(compilation, at, 'invalid_type', 'A filter is a JSON object.');
  const members = Object.entries(json);
  if (members.length === 0 && !mayBeEmpty) {
    return refuse(compilation, at, 'empty', 'An empty object says nothing here; leave it out.');
  }
  return all(
    members.flatMap(([key, value]) => {
      const here = pointerTo(at, key);
      if (key === '$and') return all(compileList(value, here, compilation));
      if (key === '$or') return any(compileList(value, here, compilation));
      if (key === '$not') return not(compileObject(value, here, compilation));
      if (key.startsWith('$')) {
        const message = Object.hasOwn(filterOperators, key)
          ? `${key} stands under a path: {"path": {"${key}": …}}.`
          : `Here stand paths, $and, $or and $not; a member whose name begins with $ is written \\${key}.`;
        return refuse(compilation, here, 'unknown_operator', message);
      }
      return compileCondition(key, value, here, compilation);
    }),
  );
}

function compileList(json: unknown, at: string, compilation: Compilation): readonly Rule[] {
  if (!Array.isArray(json) || json.length === 0) {
    return [refuse(compilation, at, 'invalid_operand', 'An array of one or more filters is wanted here.')];
  }
  return json.map((each, index) => compileObject(each, pointerTo(at, index), compilation));
}

/** What is asked of the values at a path: operators, all of which must hold, or a single value, which stands for `$eq`. */
function compileCondition(
  path: string,
  json: unknown,
  at: string,
  compilation: Compilation,
): readonly Rule[] {
  if (parseFilterPath(path) === null) {
    const message =
      'A path is names divided by dots, none of them empty; a dot within a name is written \\. there.';
    return [refuse(compilation, at, 'invalid_path', message)];
  }
  if (Array.isArray(json)) {
    const message = 'Use $in for "one of these" or $eq for "this very array".';
    return [refuse(compilation, at, 'invalid_operand', message)];
  }
  if (!isRecord(json)) return [compileClause(path, '$eq', json, at, compilation)];
  const members = Object.entries(json);
  if (members.length === 0) {
    return [refuse(compilation, at, 'empty', `At least one operator is wanted here: ${operatorNames}.`)];
  }
  return members.map(([key, operand]) => {
    const here = pointerTo(at, key);
    return key === '$not'
      ? not(compileNegatedCondition(path, operand, here, compilation))
      : compileClause(path, key, operand, here, compilation);
  });
}

function compileNegatedCondition(path: string, json: unknown, at: string, compilation: Compilation): Rule {
  return isRecord(json)
    ? all(compileCondition(path, json, at, compilation))
    : refuse(compilation, at, 'invalid_operand', '$not takes an object of operators; for a value use $ne.');
}

/** One operator at one path: the smallest thing that decides. */
function compileClause(
  path: string,
  key: string,
  operand: unknown,
  at: string,
  compilation: Compilation,
): Rule {
  compilation.clauses++;
  const operator = Object.hasOwn(filterOperators, key) ? filterOperators[key] : undefined;
  if (operator === undefined) {
    const message = key.startsWith('$')
      ? `There is no operator ${key} under a path; there are ${operatorNames}.`
      : `Operators are wanted here: ${operatorNames}. Go deeper with a dotted path, or compare a whole object with $eq.`;
    return refuse(compilation, at, 'unknown_operator', message);
  }
  if (!operator.takes(operand)) {
    return refuse(compilation, at, 'invalid_operand', `${key} takes ${operator.wants}.`);
  }
  return clause(path, key, operator, operand);
}

function clause(path: string, key: string, operator: Operator, operand: unknown): Rule {
  const segments = parseFilterPath(path) ?? [];
  const accepts = operator.test(operand);
  const wanted = !operator.negated(operand);
  const test: Rule['test'] = (payload, effort) =>
    someValueAt(payload, segments, operator.intoElements, accepts, effort) === wanted;
  const explain: Rule['explain'] = (payload, effort) => {
    const values: unknown[] = [];
    const tried: typeof accepts = (value) => {
      values.push(value);
      return accepts(value, effort);
    };
    const isDecided = someValueAt(payload, segments, operator.intoElements, tried, effort);
    const verb = isDecided === wanted ? 'matches' : "doesn't match";
    const value = isDecided ? values.at(-1) : values[0];
    const found = values.length === 0 ? 'the payload has nothing there' : `it is ${inShort(value)}`;
    const others =
      isDecided || values.length < 2 ? '' : `, the first of ${values.length} values that were tried`;
    return `"${path}" ${verb} {"${key}":${inShort(operand)}}: ${found}${others}.`;
  };
  return { test, explain };
}

function all(rules: readonly Rule[]): Rule {
  const [first] = rules;
  if (first === undefined) {
    return { test: () => true, explain: () => 'The filter is empty and matches every payload.' };
  }
  if (rules.length === 1) return first;
  return {
    test: (payload, effort) => rules.every((rule) => rule.test(payload, effort)),
    explain: (payload, effort) => {
      const failed = rules.find((rule) => !rule.test(payload, effort));
      return (
        failed?.explain(payload, effort) ??
        `Each of ${rules.length} clauses matches; the first: ${first.explain(payload, effort)}`
      );
    },
  };
}

function any(rules: readonly Rule[]): Rule {
  return {
    test: (payload, effort) => rules.some((rule) => rule.test(payload, effort)),
    explain: (payload, effort) => {
      const matched = rules.find((rule) => rule.test(payload, effort));
      return (
        matched?.explain(payload, effort) ??
        `None of the ${rules.length} alternatives of $or matches; the first: ${rules[0]?.explain(payload, effort)}`
      );
    },
  };
}

function not(rule: Rule): Rule {
  return {
    test: (payload, effort) => !rule.test(payload, effort),
    explain: (payload, effort) =>
      `$not ${rule.test(payload, effort) ? "doesn't match" : 'matches'}: ${rule.explain(payload, effort)}`,
  };
}

/** Notes a violation; the rule that is given back is never asked. */
function refuse(compilation: Compilation, field: string, code: string, message: string): Rule {
  compilation.violations.push({ field, code, message });
  return { test: () => false, explain: () => message };
}

const operatorNames = [...Object.keys(filterOperators), '$not'].join(' ');

function inShort(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Depth first: what is measured after it is known to end. */
function sizeViolation(json: unknown, at: string): Violation | null {
  if (depthOf(json, maxFilterDepth + 1) > maxFilterDepth) {
    return { field: at, code: 'too_deep', message: `A filter may be nested at most ${maxFilterDepth} deep.` };
  }
  const bytes = new TextEncoder().encode(JSON.stringify(json)).length;
  if (bytes <= maxFilterBytes) return null;
  const message = `A filter may have at most ${maxFilterBytes} bytes of JSON; this one has ${bytes}.`;
  return { field: at, code: 'too_large', message };
}

/** How deep the value is nested; at most `limit`, where it stops looking. */
function depthOf(json: unknown, limit: number): number {
  if (typeof json !== 'object' || json === null || limit === 0) return 0;
  let deepest = 0;
  for (const each of Object.values(json)) deepest = Math.max(deepest, depthOf(each, limit - 1));
  return 1 + deepest;
}
