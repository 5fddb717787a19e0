import { DomainError } from '@posthorn/models';

/** Both directions between a model's names and an enum of the contract. */
export interface EnumTable<Name extends string, Value extends number> {
  toMessage(name: Name): Value;
  /** Throws `invalid_argument` for UNSPECIFIED and for values that this version doesn't know; `field` is a JSON pointer. */
  fromMessage(value: number, field: string): Name;
}

/** Makes a table from names to values; give it one that `satisfies Record<Name, Value>`, so that a new name doesn't compile without. */
export function createEnumTable<Name extends string, Value extends number>(
  values: Readonly<Record<Name, Value>>,
): EnumTable<Name, Value> {
  const names = new Map<number, Name>();
  for (const name of Object.keys(values) as Name[]) names.set(values[name], name);
  return {
    toMessage: (name) => values[name],
    fromMessage: (value, field) => {
      const name = names.get(value);
      if (name === undefined) throw missingOrUnknown(field, value, [...names.values()]);
      return name;
    },
  };
}

function missingOrUnknown(field: string, value: number, names: readonly string[]): DomainError {
  const message = `This must be one of ${names.join(', ')}.`;
  return DomainError.invalid([{ field, code: value === 0 ? 'required' : 'unknown_value', message }]);
}
