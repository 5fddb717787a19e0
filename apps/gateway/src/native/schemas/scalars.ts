import type { Definition } from '../routing/schema.ts';

/** A moment, as in `2026-01-31T12:00:00.000Z`. */
export const time: Definition = {
  type: 'string',
  format: 'date-time',
  examples: ['2026-01-31T12:00:00.000Z'],
};

export const timeOrNull: Definition = { type: ['string', 'null'], format: 'date-time' };

/** An id of ours. */
export const id: Definition = {
  type: 'string',
  description: 'Our own id of it; ids made later sort behind.',
  examples: ['019aa0c4-21f3-4c5d-9d0e-5b1f7a3c2e10'],
};

/** A scalar with a sentence of its own. */
export function described(definition: Definition, description: string): Definition {
  return { ...definition, description };
}
