import { usageLimitBounds, type PublishLimits, type UsageLimits } from '@posthorn/models';
import { answerSchema, requestSchema, type Definition, type PropertiesOf } from '../routing/schema.ts';

const meanings = {
  publishesPerSecond: 'Events that may be published within one second of UTC; null: any number.',
  publishesPerDay: 'Events that may be published within one day of UTC; null: any number.',
  bytesPerDay: 'Bytes of `data` that may be published within one day of UTC; null: any number.',
  endpoints: 'Endpoints that there may be at a time; null: as many as the deployment allows.',
} as const satisfies Record<keyof UsageLimits, string>;

function definitionOf(name: keyof UsageLimits): Definition {
  const { min, max } = usageLimitBounds[name];
  return { type: ['integer', 'null'], minimum: min, maximum: max, description: meanings[name] };
}

const publishing: PropertiesOf<PublishLimits> = {
  publishesPerSecond: definitionOf('publishesPerSecond'),
  publishesPerDay: definitionOf('publishesPerDay'),
  bytesPerDay: definitionOf('bytesPerDay'),
};
const usage: PropertiesOf<UsageLimits> = { ...publishing, endpoints: definitionOf('endpoints') };

const replaced = 'Replaced as a whole: what is left out is no longer limited.';

export const publishLimitsInputSchema = requestSchema<Partial<PublishLimits>>('PublishLimitsInput', {
  description: `Operators only. ${replaced}`,
  properties: publishing,
});

export const publishLimitsSchema = answerSchema<PublishLimits>('PublishLimits', {
  description: 'What may be published with this key. The limits of its organisation hold as well.',
  properties: publishing,
});

export const usageLimitsInputSchema = requestSchema<Partial<UsageLimits>>('UsageLimitsInput', {
  description: replaced,
  properties: usage,
});

export const usageLimitsSchema = answerSchema<UsageLimits>('UsageLimits', {
  description: 'What the organisation may use, whichever keys it uses it with.',
  properties: usage,
});
