/**
 * What is wrong with a JSON text, and where: syntax with line and column, a name that comes twice in one object at any
 * depth, and nesting that is too deep. `JSON.parse` tells none of these reliably, and takes the last of two names in silence.
 * One pass, no recursion; for management bodies, which are small. Payloads of events are judged by libs/models json-scan.
 */
import { DomainError, maxJsonDepth, pointerTo } from '@posthorn/models';

/** An object or array that is open at this place. */
interface Level {
  readonly pointer: string;
  /** The names so far; null in an array. */
  readonly names: Set<string> | null;
  /** Name or index of the member that is being read. */
  key: string | number;
}

const space = /[ \t\n\r]*/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
const plainPart = /[^"\\\u0000-\u001f]*/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

export interface JsonRules {
  /** Whether one object may have two members with one name: `JSON.parse` takes the last. */
  readonly repeatedNames: 'refused' | 'accepted';
}

/** Throws `invalid_argument` with the first thing that is wrong; what passes is read by `JSON.parse` without loss of names. */
export function checkJsonText(text: string, rules: JsonRules = { repeatedNames: 'refused' }): void {
  let at = skip(0);
  const levels: Level[] = [];

  function skip(from: number): number {
    return end(space, from);
  }

  /** The end of what the expression matches at a place; the place itself when it doesn't match. */
  function end(expression: RegExp, from: number): number {
    expression.lastIndex = from;
    return expression.test(text) ? expression.lastIndex : from;
  }

  function refuse(code: string, message: string, offset: number, field = ''): never {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - before.lastIndexOf('\n');
    throw DomainError.invalid([{ field, code, message: `${message} (line ${line}, column ${column}).` }]);
  }

  function unexpected(wanted: string): never {
    return at >= text.length
      ? refuse('syntax', `The body is not JSON: it ends where ${wanted} is wanted`, at)
      : refuse('syntax', `The body is not JSON: here ${wanted} is wanted`, at);
  }

  function readString(wanted: string): string {
    const start = at;
    if (text[at] !== '"') unexpected(wanted);
    at++;
    for (;;) {
      at = end(plainPart, at);
      if (text[at] === '"') break;
      if (text[at] === undefined) refuse('syntax', 'The body is not JSON: it ends within a string', at);
      const next = end(escape, at);
      if (next === at) {
        const what = text[at] === '\\' ? 'is no such escape' : 'a control character must be escaped';
        refuse('syntax', `The body is not JSON: here ${what}`, at);
      }
      at = next;
    }
    at++;
    return text.slice(start, at);
  }

  /** From a name to behind its colon. */
  function readName(level: Level, names: Set<string>): void {
    const start = at;
    const name = JSON.parse(readString('a name in double quotes')) as string;
    const field = pointerTo(level.pointer, name);
    if (names.has(name) && rules.repeatedNames === 'refused')
      refuse('duplicate_key', `${JSON.stringify(name)} stands here a second time`, start, field);
    names.add(name);
    level.key = name;
    at = skip(at);
    if (text[at] !== ':') unexpected('":"');
    at = skip(at + 1);
  }

  function open(): Level {
    if (levels.length === maxJsonDepth)
      refuse('too_deep', `JSON may be nested at most ${maxJsonDepth} deep`, at);
    const parent = levels.at(-1);
    const pointer = parent === undefined ? '' : pointerTo(parent.pointer, parent.key);
    const level = { pointer, names: text[at] === '{' ? new Set<string>() : null, key: 0 };
    levels.push(level);
    at = skip(at + 1);
    return level;
  }

  /** Behind a value: closes what ends here, and goes on to the next value. False when the text is complete. */
  function next(): boolean {
    for (;;) {
      at = skip(at);
      const level = levels.at(-1);
      if (level === undefined) {
        if (at < text.length) unexpected('the end of the body');
        return false;
      }
      const closing = closingOf(level);
      if (text[at] === closing) {
        levels.pop();
        at++;
        continue;
      }
      if (text[at] !== ',') unexpected(`"," or "${closing}"`);
      at = skip(at + 1);
      if (level.names === null) level.key = Number(level.key) + 1;
      else readName(level, level.names);
      return true;
    }
  }

  let isIncomplete = true;
  while (isIncomplete) {
    const first = text[at];
    if (first === '{' || first === '[') {
      const level = open();
      // An empty one is closed by `next`; otherwise a member's value follows.
      if (text[at] !== closingOf(level)) {
        if (level.names !== null) readName(level, level.names);
        continue;
      }
    } else if (first === '"') {
      readString('a value');
    } else {
      const behind = end(scalar, at);
      if (behind === at) unexpected('a value');
      at = behind;
    }
    isIncomplete = next();
  }
}

function closingOf(level: Level): ']' | '}' {
  return level.names === null ? ']' : '}';
}
