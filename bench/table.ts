/** Figures as text, in columns. */

/** Of the numbers that are there. */
export function median(numbers: readonly (number | null)[]): number | null {
  const sorted = numbers.filter((number) => number !== null).sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** A dash for what isn't known. */
export function fixed(number: number | null, digits: number): string {
  return number === null ? '–' : number.toFixed(digits);
}

/** Columns as wide as their widest cell: text (the first `texts`) to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[], texts = 2): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < texts ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
