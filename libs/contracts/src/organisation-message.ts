import { defaultRetention, type Organisation } from '@posthorn/models';
import type * as configV1 from './config-v1.ts';
import { usageLimitsFromMessage, usageLimitsToMessage } from './limits-message.ts';
import { required } from './required.ts';

/** The organisation as a message. */
export function organisationToMessage(organisation: Organisation): configV1.Organisation {
  return {
    id: organisation.id,
    slug: organisation.slug,
    name: organisation.name,
    accountUrl: organisation.accountUrl ?? undefined,
    timeZone: organisation.timeZone,
    branding: {
      name: organisation.branding.name ?? undefined,
      iconUrl: organisation.branding.iconUrl ?? undefined,
      thumbnailUrl: organisation.branding.thumbnailUrl ?? undefined,
    },
    requireKnownTypes: organisation.requireKnownTypes,
    retention: { ...organisation.retention },
    limits: usageLimitsToMessage(organisation.limits),
    createdAt: organisation.createdAt,
    updatedAt: organisation.updatedAt,
    defaultRicloudEndpoint: organisation.defaultRicloudEndpoint ?? undefined,
  };
}

/** The organisation of a message that shows a stored one. Throws `invalid_argument` when a time is missing. */
export function organisationFromMessage(message: configV1.Organisation): Organisation {
  return {
    id: message.id,
    slug: message.slug,
    name: message.name,
    accountUrl: message.accountUrl ?? null,
    timeZone: message.timeZone,
    branding: {
      name: message.branding?.name ?? null,
      iconUrl: message.branding?.iconUrl ?? null,
      thumbnailUrl: message.branding?.thumbnailUrl ?? null,
    },
    requireKnownTypes: message.requireKnownTypes,
    defaultRicloudEndpoint: message.defaultRicloudEndpoint ?? null,
    retention: message.retention ? { ...message.retention } : defaultRetention,
    limits: usageLimitsFromMessage(message.limits),
    createdAt: required(message.createdAt, '/createdAt'),
    updatedAt: required(message.updatedAt, '/updatedAt'),
  };
}
