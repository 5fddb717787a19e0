import { choiceParameter, type QueryParameter } from './query.ts';

/** Classes of HTTP statuses, by their names in the API. */
export const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
export type StatusClass = (typeof statusClasses)[number];

/** `5xx` as its first digit. */
export function statusClassDigit(name: StatusClass): number {
  return Number(name[0]);
}

/** `?statusClass=5xx`, read as its first digit. */
export function statusClassParameter(description: string): QueryParameter<number> {
  const { schema, read } = choiceParameter(description, statusClasses);
  return {
    description,
    schema,
    read: (text) => {
      const name = read(text);
      return typeof name === 'string' ? statusClassDigit(name) : name;
    },
  };
}
