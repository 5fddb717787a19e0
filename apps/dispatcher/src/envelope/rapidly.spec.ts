import { createHmac } from 'node:crypto';
import type { Branding, EndpointFormat } from '@posthorn/models';
import { headerRecord, sampleOccasion, type OccasionChanges } from './occasion.harness.ts';
import { createRapidlyEnvelope, defaultBranding } from './rapidly.ts';

const pictures: Branding = {
  name: 'Rapidly',
  iconUrl: 'https://rapidly.tech/icon.png',
  thumbnailUrl: 'https://rapidly.tech/thumbnail.png',
};

function compose(format: EndpointFormat, changes: OccasionChanges = {}, branding = pictures) {
  return createRapidlyEnvelope(branding).compose(
    sampleOccasion({ ...changes, endpoint: { format, ...changes.endpoint } }),
  );
}

describe('a rapidly delivery', () => {
  it.each(['raw', 'discord', 'slack'] as const)(
    'is signed as Standard Webhooks with the delivery id and the whole text of the secret in the format %s',
    (format) => {
      const { delivery } = sampleOccasion();
      const { headers, body, userAgent } = compose(format);
      const signature = createHmac('sha256', 'top-secret')
        .update(`${delivery.id}.1700000000.${body.toString()}`)
        .digest('base64');

      expect(headerRecord(headers)).toEqual({
        'content-type': 'application/json',
        'webhook-id': delivery.id,
        'webhook-timestamp': '1700000000',
        'webhook-signature': `v1,${signature}`,
      });
      expect(userAgent).toBe('rapidly.tech webhooks');
    },
  );

  it('is type, timestamp and the payload as it was published in the format raw', () => {
    expect(compose('raw').body.toString()).toBe(
      `{"type":"order.paid","timestamp":"2026-03-04T05:06:07.008Z",` +
        `"data":{ "id": 12345678901234567890, "total": 12.50, "text": "\\u00e9\\/" }}`,
    );
  });

  it('is an embed in the format discord', () => {
    expect(compose('discord').body.toString()).toBe(
      JSON.stringify({
        content: 'order.paid',
        embeds: [
          {
            color: 25343,
            author: { name: 'Rapidly', icon_url: 'https://rapidly.tech/icon.png' },
            thumbnail: { url: 'https://rapidly.tech/thumbnail.png' },
            footer: { text: 'Powered by Rapidly' },
            title: 'order.paid',
            description: 'order.paid',
            fields: [
              { name: 'Object', value: '12345678901234567890' },
              { name: 'Workspace', value: 'Widget Data Center' },
            ],
          },
        ],
      }),
    );
  });

  it('is two blocks in the format slack', () => {
    expect(compose('slack').body.toString()).toBe(
      JSON.stringify({
        text: 'order.paid',
        blocks: [
          {
            type: 'section',
            text: { type: 'mrkdwn', text: 'order.paid' },
            fields: [
              { type: 'mrkdwn', text: '*Object*\n12345678901234567890' },
              { type: 'mrkdwn', text: '*Workspace*\nWidget Data Center' },
            ],
          },
          {
            type: 'context',
            elements: [
              { type: 'image', image_url: 'https://rapidly.tech/icon.png', alt_text: 'Rapidly' },
              { type: 'mrkdwn', text: 'Powered by Rapidly' },
            ],
          },
        ],
      }),
    );
  });

  it("has the organisation's branding before the deployment's", () => {
    const branding = { name: 'Acme', iconUrl: 'https://acme.example/i.png', thumbnailUrl: null };

    expect(JSON.parse(compose('discord', { organisation: { branding } }).body.toString())).toMatchObject({
      embeds: [
        {
          author: { name: 'Acme', icon_url: 'https://acme.example/i.png' },
          thumbnail: { url: 'https://rapidly.tech/thumbnail.png' },
          footer: { text: 'Powered by Acme' },
        },
      ],
    });
  });

  it.each(['discord', 'slack'] as const)(
    'leaves out pictures that are not set in the format %s',
    (format) => {
      expect(compose(format, {}, defaultBranding).body.toString()).not.toMatch(/null|image|thumbnail|icon/);
    },
  );

  it.each([
    ['"a\\u0062c"', 'abc'],
    ['""', '-'],
    ['null', '-'],
    ['{"id":1}', '-'],
    ['-1.50', '-1.50'],
  ])('names the object whose id is %s as %s', (id, value) => {
    const { body } = compose('discord', { event: { payload: Buffer.from(`{"id":${id}}`) } });

    expect(JSON.parse(body.toString())).toMatchObject({
      embeds: [{ fields: [{ name: 'Object', value }, {}] }],
    });
  });

  it.each(['[1]', '"text"', '{}'])('names no object of the payload %s', (payload) => {
    const { body } = compose('discord', { event: { payload: Buffer.from(payload) } });

    expect(JSON.parse(body.toString())).toMatchObject({ embeds: [{ fields: [{ value: '-' }, {}] }] });
  });
});
