import type { Violation } from './errors.ts';

/** The checks that resources are made of. Each gives back what is wrong with one field; nothing, when all is well. */

/** How long a text may be, in Unicode characters as JSON Schema counts them, and what it may hold. */
export interface TextRule {
  /** 0 when absent. */
  readonly minLength?: number;
  readonly maxLength: number;
  /** Line ends and tabs may stand in it; other control characters never may. */
  readonly multiline?: boolean;
}

export function checkText(text: string, field: string, rule: TextRule): readonly Violation[] {
  const { minLength = 0, maxLength, multiline = false } = rule;
  if (text.length < minLength) {
    const message = text === '' ? 'This must not be empty.' : `At least ${minLength} characters are wanted.`;
    return [{ field, code: 'too_short', message }];
  }
  if (isLonger(text, maxLength)) {
    return [{ field, code: 'too_long', message: `At most ${maxLength} characters are allowed.` }];
  }
  const controls = multiline ? /[^\P{Cc}\t\n\r]/u : /\p{Cc}/u;
  return controls.test(text) || !text.isWellFormed()
    ? [{ field, code: 'invalid_format', message: "Control characters and half characters aren't allowed." }]
    : [];
}

/** The name of a member that its owner chose. One that objects have another use for would be lost on the way, in silence. */
export function checkMemberName(name: string, field: string, rule: TextRule): readonly Violation[] {
  if (name !== '__proto__') return checkText(name, field, rule);
  return [{ field, code: 'invalid_value', message: "__proto__ can't be a name here; choose another one." }];
}

/** A text that has to have a certain form; `rule` is the sentence that says which. */
export function checkForm(text: string, field: string, form: RegExp, rule: string): readonly Violation[] {
  return form.test(text) ? [] : [{ field, code: 'invalid_format', message: rule }];
}

export function checkInteger(
  value: number,
  field: string,
  { min, max }: { readonly min: number; readonly max: number },
): readonly Violation[] {
  const isFine = Number.isInteger(value) && value >= min && value <= max;
  return isFine
    ? []
    : [{ field, code: 'out_of_range', message: `A whole number from ${min} to ${max} is wanted.` }];
}

/** How many of something there are. */
export function checkCount(
  count: number,
  field: string,
  { min = 0, max }: { readonly min?: number; readonly max: number },
): readonly Violation[] {
  if (count < min) return [{ field, code: 'too_few', message: `At least ${min} of them must be given.` }];
  return count > max
    ? [{ field, code: 'too_many', message: `At most ${max} are allowed; there are ${count}.` }]
    : [];
}

/** A web address for people to follow: http or https. Nothing is ever sent to it. */
export function checkWebUrl(text: string, field: string, maxLength: number): readonly Violation[] {
  const tooLong = checkText(text, field, { maxLength });
  if (tooLong.length > 0) return tooLong;
  const isWebUrl = /^https?:\/\/[^/?#\s][^\s\\]*$/i.test(text) && URL.canParse(text);
  const message = 'An absolute URL that begins with https:// or http:// is wanted.';
  return isWebUrl ? [] : [{ field, code: 'invalid_format', message }];
}

function isLonger(text: string, maxLength: number): boolean {
  // Characters beyond the basic plane are two units; they only need to be counted when the units are too many.
  return text.length > maxLength && (text.length > 2 * maxLength || [...text].length > maxLength);
}
