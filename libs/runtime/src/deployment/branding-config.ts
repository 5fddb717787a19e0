/** What messages for people (Discord, Slack) are signed with where an organisation has no branding of its own. */
import { text, url } from '../config-parsers.ts';
import { configEntry, type ConfigOf } from '../config-reader.ts';

export const brandingConfig = {
  rapidlyBrand: configEntry<string>({
    env: 'POSTHORN_DIALECT_RAPIDLY_BRAND',
    parser: text({ maxLength: 64 }),
    default: 'Rapidly',
    description: 'What the dialect rapidly calls itself in the reference and in its answers.',
  }),
  rapidlyIconUrl: configEntry<string, string | null>({
    env: 'POSTHORN_DIALECT_RAPIDLY_ICON_URL',
    parser: url,
    default: null,
    defaultText: 'none',
    description:
      "The picture beside the dialect's name in rapidly's messages to Discord and Slack, which have that name too.",
  }),
  rapidlyThumbnailUrl: configEntry<string, string | null>({
    env: 'POSTHORN_DIALECT_RAPIDLY_THUMBNAIL_URL',
    parser: url,
    default: null,
    defaultText: 'none',
    description: "The larger picture in rapidly's messages to Discord.",
  }),
} as const;

/** The branding from values that were read with `brandingConfig`. */
export function brandingOf(values: ConfigOf<typeof brandingConfig>) {
  return {
    name: values.rapidlyBrand,
    iconUrl: values.rapidlyIconUrl,
    thumbnailUrl: values.rapidlyThumbnailUrl,
  };
}
