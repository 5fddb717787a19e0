import { createHmac } from 'node:crypto';
import { headerRecord, sampleOccasion, sampleSecret } from './occasion.harness.ts';
import { ricloudEnvelope, ricloudUrl } from './ricloud.ts';

const id = '01890a5d-ac96-4774-bcce-b302099a8057';

describe('the URL of a ricloud delivery', () => {
  it.each([
    ['https://h/webhooks/', `https://h/webhooks/${id}`],
    ['https://h/webhooks', `https://h/webhooks/${id}`],
    ['https://h/webhooks//', `https://h/webhooks/${id}`],
    ['https://h', `https://h/${id}`],
    ['https://h:8443/a?x=1&y=%20', `https://h:8443/a/${id}?x=1&y=%20`],
    ['https://h/a%2Fb/?x', `https://h/a%2Fb/${id}?x`],
  ])('joins %s and the id with one slash', (url, expected) => {
    expect(ricloudUrl(url, id)).toBe(expected);
  });
});

describe('a ricloud delivery', () => {
  it('has every field in its order, type and action split at the last dot, and the payload as it was published', () => {
    const occasion = sampleOccasion({
      event: { type: 'file.shared.created' },
      delivery: { attempts: 2, state: 'retrying' },
    });

    expect(ricloudEnvelope.compose(occasion).body.toString()).toBe(
      `{"id":"${id}","resource":"event","type":"file.shared","action":"created",` +
        `"data":{ "id": 12345678901234567890, "total": 12.50, "text": "\\u00e9\\/" },` +
        `"state":"pending","retries":2,"date_created":"2026-03-04T05:06:08.009000Z","date_delivered":null}`,
    );
  });

  it('says so when it had been delivered before', () => {
    const finishedAt = new Date('2026-03-04T06:00:00.000Z');
    const occasion = sampleOccasion({ delivery: { attempts: 1, state: 'succeeded', finishedAt } });

    expect(JSON.parse(ricloudEnvelope.compose(occasion).body.toString())).toMatchObject({
      state: 'delivered',
      retries: 1,
      date_delivered: '2026-03-04T06:00:00.000000Z',
    });
  });

  it('is signed with its t, the second of the attempt, over the body that is sent', () => {
    const { body, headers } = ricloudEnvelope.compose(sampleOccasion());
    const s = createHmac('sha256', 'top-secret').update(`1700000000.${body.toString()}`).digest('base64');

    expect(headerRecord(headers)).toEqual({
      'Content-Type': 'application/json',
      'Ricloud-Signature': `t=1700000000,s=${s}`,
    });
  });

  it('is signed with the newest secret that is live', () => {
    const older = { ...sampleSecret, secret: 'older', createdAt: new Date(0) };

    expect(ricloudEnvelope.compose(sampleOccasion({ secrets: [older, sampleSecret] })).signature).toBe(
      ricloudEnvelope.compose(sampleOccasion()).signature,
    );
  });

  it('is not sent unsigned', () => {
    expect(() => ricloudEnvelope.compose(sampleOccasion({ secrets: [] }))).toThrow('no live secret');
  });
});
