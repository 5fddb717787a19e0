/**
 * Documents as JSON text. Times are revived by name at the top level only: whatever keys a tenant's own metadata has,
 * it comes back as it was written.
 */
export function parseDocument<T extends object>(text: unknown, dates: readonly (keyof T & string)[]): T {
  const document = JSON.parse(String(text)) as Record<string, unknown>;
  for (const name of dates) {
    const value = document[name];
    if (typeof value === 'string') document[name] = new Date(value);
  }
  return document as T;
}
