import { organisationFromMessage, type configV1 } from '@posthorn/contracts';
import {
  organisationLimits,
  type Branding,
  type Organisation,
  type Retention,
  type UsageLimits,
} from '@posthorn/models';
import { usageLimitsInputSchema, usageLimitsSchema } from './limits.ts';
import { described, id, time } from './scalars.ts';
import {
  answerSchema,
  pageSchema,
  requestSchema,
  type Definition,
  type PropertiesOf,
} from '../routing/schema.ts';

/** What an operator may write; what is left out keeps its value, or gets its default at creation. */
export interface OrganisationInput {
  readonly slug?: string;
  readonly name?: string;
  readonly accountUrl?: string | null;
  readonly timeZone?: string;
  readonly branding?: Partial<Branding>;
  readonly requireKnownTypes?: boolean;
  readonly defaultRicloudEndpoint?: string | null;
  readonly retention?: Partial<Retention>;
  readonly limits?: Partial<UsageLimits>;
}

const { nameLength, urlLength, slugPattern, timeZoneLength } = organisationLimits;
const { minRetentionDays: minimum, maxRetentionDays: maximum } = organisationLimits;

const webUrl: Definition = { type: ['string', 'null'], maxLength: urlLength };
const days: Definition = { type: 'integer', minimum, maximum };

const properties: PropertiesOf<OrganisationInput> = {
  slug: {
    type: 'string',
    pattern: slugPattern,
    description: 'Good in paths and headers in place of the id.',
  },
  name: {
    type: 'string',
    minLength: 1,
    maxLength: nameLength,
    description: 'For people; the slug when left out.',
  },
  accountUrl: described(webUrl, "The organisation's page in your own system."),
  timeZone: { type: 'string', maxLength: timeZoneLength, description: 'An IANA name; UTC when left out.' },
  branding: requestSchema<Partial<Branding>>('BrandingInput', {
    description: 'Replaced as a whole.',
    properties: {
      name: { type: ['string', 'null'], minLength: 1, maxLength: nameLength },
      iconUrl: webUrl,
      thumbnailUrl: webUrl,
    },
  }),
  requireKnownTypes: {
    type: 'boolean',
    description: 'Whether publishing an event of a type that is not in the catalogue is refused.',
  },
  defaultRicloudEndpoint: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 128,
    description:
      'The ricloud endpoint, by id or uid, that gets what no key routes elsewhere; null: the oldest one that has passed its test.',
  },
  retention: requestSchema<Partial<Retention>>('RetentionInput', {
    description: 'Replaced as a whole.',
    properties: {
      payloadDays: described(days, 'How long events are kept with their payload; 30 when left out.'),
      metadataDays: described(
        days,
        'How long deliveries and attempts are kept, at least as long; 90 when left out.',
      ),
    },
  }),
  limits: usageLimitsInputSchema,
};

export const newOrganisationSchema = requestSchema<OrganisationInput>('NewOrganisation', {
  properties,
  required: ['slug'],
});

export const organisationChangesSchema = requestSchema<OrganisationInput>('OrganisationChanges', {
  description: 'A merge patch (RFC 7396) over the top-level fields.',
  properties,
});

export const organisationSchema = answerSchema<Organisation>('Organisation', {
  description: 'A tenant. Everything else belongs to exactly one, operator keys excepted.',
  properties: {
    id,
    slug: { type: 'string' },
    name: { type: 'string' },
    accountUrl: { type: ['string', 'null'] },
    timeZone: { type: 'string' },
    branding: answerSchema<Branding>('Branding', {
      properties: {
        name: { type: ['string', 'null'] },
        iconUrl: { type: ['string', 'null'] },
        thumbnailUrl: { type: ['string', 'null'] },
      },
    }),
    requireKnownTypes: { type: 'boolean' },
    defaultRicloudEndpoint: { type: ['string', 'null'] },
    retention: answerSchema<Retention>('Retention', {
      properties: { payloadDays: { type: 'integer' }, metadataDays: { type: 'integer' } },
    }),
    limits: usageLimitsSchema,
    createdAt: time,
    updatedAt: time,
  },
});

export const organisationPageSchema = pageSchema(organisationSchema);

/** The organisation as the API shows it. */
export function organisationView(message: configV1.Organisation): Organisation {
  return organisationFromMessage(message);
}
