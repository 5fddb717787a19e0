import { repeatable, type QueryParameter } from './query.ts';

/** `?label=region:eu`: a label by name and exact value; several must all be there. The name ends at the first colon. */
export function labelParameter(description: string): QueryParameter<readonly (readonly [string, string])[]> {
  const one: QueryParameter<readonly [string, string]> = {
    description,
    schema: { type: 'string', pattern: '^[^:]+:', maxLength: 400, examples: ['region:eu'] },
    read: (text) => {
      const colon = text.indexOf(':');
      const isFine = colon > 0 && text.length <= 400;
      return isFine
        ? [text.slice(0, colon), text.slice(colon + 1)]
        : { problem: 'This must be of the form name:value.' };
    },
  };
  return repeatable(one);
}
