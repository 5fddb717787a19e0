import { choiceParameter, type QueryParameter } from './query.ts';

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** `?statusClass=5xx`, read as its first digit. */
export function statusClassParameter(description: string): QueryParameter<number> {
  const { schema, read } = choiceParameter(description, classes);
  return {
    description,
    schema,
    read: (text) => {
      const name = read(text);
      return typeof name === 'string' ? Number(name[0]) : name;
    },
  };
}
