/**
 * The Retry-After header (RFC 9110, section 10.2.3): a number of seconds or an HTTP date in any of the three forms of section 5.6.7.
 * What is neither is no header at all; what is longer than a day is a day.
 */

/** The longest wait that a receiver can ask for. */
export const maxRetryAfterMs = 86_400_000;

/** How long the header asks to wait, from 0 to a day, in milliseconds; null when it is absent or says nothing. */
export function parseRetryAfter(header: string | null | undefined, now: Date): number | null {
  if (header === null || header === undefined) return null;
  const text = header.trim();
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : httpDateMs(text, now) - now.getTime();
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const dateForms = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/,
  // Sunday, 06-Nov-94 08:49:37 GMT
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/,
  // Sun Nov  6 08:49:37 1994
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/,
];

/** The date's time, or NaN for what isn't an HTTP date. */
function httpDateMs(text: string, now: Date): number {
  for (const form of dateForms) {
    const { day = '', month = '', year = '', time = '' } = form.exec(text)?.groups ?? {};
    if (!months.includes(month)) continue;
    const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
    const dayOfMonth = Number(day);
    const date = new Date(
      Date.UTC(fullYear(year, now), months.indexOf(month), dayOfMonth, hours, minutes, seconds),
    );
    // Date.UTC rolls 31 June over to 1 July; a date that moved wasn't one. A leap second may.
    const isReal = date.getUTCDate() === dayOfMonth || seconds === 60;
    return isReal && hours < 24 && minutes < 60 && seconds <= 60 ? date.getTime() : Number.NaN;
  }
  return Number.NaN;
}

/** A year of two digits that would lie more than 50 years ahead belongs to the century before. */
function fullYear(digits: string, now: Date): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = now.getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}
