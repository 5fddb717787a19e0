/** A moment as Python's frameworks write it, in UTC and with six digits: `2018-11-22T12:59:57.016000Z`. */
export function microseconds(moment: Date): string {
  return moment.toISOString().replace('Z', '000Z');
}

/** As `microseconds`, and null for what hasn't happened. */
export function microsecondsOrNull(moment: Date | null): string | null {
  return moment === null ? null : microseconds(moment);
}
