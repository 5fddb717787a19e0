import { DomainError } from '@posthorn/models';

/** Model field names (camelCase) as the paths of a FieldMask (snake_case). */
export function fieldMaskToMessage(fields: readonly string[]): string[] {
  return fields.map((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/**
 * The top level fields that a FieldMask names, each once. Throws `invalid_argument` with every path that isn't one of `allowed`,
 * and when the mask is missing: a forgotten mask must neither change nothing in silence nor clear everything.
 */
export function fieldMaskFromMessage<Field extends string>(
  mask: readonly string[] | undefined,
  allowed: readonly Field[],
): Field[] {
  if (mask === undefined)
    throw DomainError.invalid([{ field: '/updateMask', code: 'required', message: 'This must be given.' }]);
  const byPath = new Map(allowed.map((field) => [fieldMaskToMessage([field])[0], field]));
  const violations = mask.flatMap((path, index) =>
    byPath.has(path)
      ? []
      : [
          {
            field: `/updateMask/${index}`,
            code: 'unknown_field',
            message: `This must be one of ${[...byPath.keys()].join(', ')}.`,
          },
        ],
  );
  if (violations.length > 0) throw DomainError.invalid(violations);
  return [...new Set(mask.flatMap((path) => byPath.get(path) ?? []))];
}
