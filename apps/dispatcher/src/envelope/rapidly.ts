import type { Branding, EndpointFormat, SigningEndpoint } from '@posthorn/models';
import { prepareTextSigner, webhookHeaders } from '@posthorn/signing';
import { customHeaders } from './custom-headers.ts';
import { payloadId } from './embed.ts';
import { secondsOf, type DialectEnvelope, type Occasion } from './message.ts';
import { oncePer } from './once-per.ts';
import { standardEnvelope } from './standard.ts';

/** What the messages for Discord and Slack are signed with where an organisation has no branding of its own. */
export const defaultBranding: Branding = { name: 'Rapidly', iconUrl: null, thumbnailUrl: null };

const signerOf = oncePer(({ secrets }: SigningEndpoint) => prepareTextSigner(secrets));

/** Standard Webhooks with the delivery's id, and secrets whose whole text is the key; bodies that Discord and Slack take as they are. */
export function createRapidlyEnvelope(branding: Branding): DialectEnvelope {
  return {
    compose(occasion) {
      const { delivery, target, at } = occasion;
      const body = rapidlyBody(occasion, branding);
      const timestampSeconds = secondsOf(at);
      const signature = signerOf(target).sign(delivery.id, timestampSeconds, [body]);
      return {
        url: target.endpoint.url,
        userAgent: 'rapidly.tech webhooks',
        headers: [
          'content-type',
          'application/json',
          webhookHeaders.id,
          delivery.id,
          webhookHeaders.timestamp,
          String(timestampSeconds),
          webhookHeaders.signature,
          signature,
          ...customHeaders(target.endpoint),
        ],
        body,
        signature,
      };
    },
    body: (occasion) => rapidlyBody(occasion, branding),
  };
}

function rapidlyBody(occasion: Occasion, defaults: Branding): Buffer {
  const format: EndpointFormat = occasion.target.endpoint.format;
  if (format === 'raw') return standardEnvelope(occasion.event).body;
  if (format !== 'discord' && format !== 'slack') {
    throw new Error(`${format} is not a format of rapidly endpoints`);
  }
  const { name, branding } = occasion.organisation;
  const content: ChatContent = {
    type: occasion.event.type,
    object: objectOf(occasion.event.payload),
    workspace: name,
    brand: branding.name ?? defaults.name ?? 'Rapidly',
    iconUrl: branding.iconUrl ?? defaults.iconUrl,
    thumbnailUrl: branding.thumbnailUrl ?? defaults.thumbnailUrl,
  };
  return Buffer.from(JSON.stringify(format === 'discord' ? discordMessage(content) : slackMessage(content)));
}

interface ChatContent {
  readonly type: string;
  readonly object: string;
  readonly workspace: string;
  readonly brand: string;
  readonly iconUrl: string | null;
  readonly thumbnailUrl: string | null;
}

/** What both services refuse is an empty text. */
const nothing = '-';

/** The payload's id as people read it. */
function objectOf(payload: Uint8Array): string {
  const id = payloadId(payload);
  if (id === null) return nothing;
  return id.startsWith('"') ? String(JSON.parse(id)) || nothing : id;
}

/** A picture that isn't set is left out: neither service takes null for a URL. */
function discordMessage({ type, object, workspace, brand, iconUrl, thumbnailUrl }: ChatContent): object {
  return {
    content: type,
    embeds: [
      {
        color: 25343,
        author: { name: brand, ...(iconUrl !== null && { icon_url: iconUrl }) },
        ...(thumbnailUrl !== null && { thumbnail: { url: thumbnailUrl } }),
        footer: { text: `Powered by ${brand}` },
        title: type,
        description: type,
        fields: [
          { name: 'Object', value: object },
          { name: 'Workspace', value: workspace || nothing },
        ],
      },
    ],
  };
}

function slackMessage({ type, object, workspace, brand, iconUrl }: ChatContent): object {
  const text = (markdown: string): object => ({ type: 'mrkdwn', text: markdown });
  return {
    text: type,
    blocks: [
      {
        type: 'section',
        text: text(type),
        fields: [text(`*Object*\n${object}`), text(`*Workspace*\n${workspace || nothing}`)],
      },
      {
        type: 'context',
        elements: [
          ...(iconUrl === null ? [] : [{ type: 'image', image_url: iconUrl, alt_text: brand }]),
          text(`Powered by ${brand}`),
        ],
      },
    ],
  };
}
