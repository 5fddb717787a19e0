/**
 * What a request to an endpoint says: its URL, all of its headers, its body and its signature, by the endpoint's dialect. One
 * file for each dialect; none of them parses the payload and prints it again.
 */
import type { Branding, Dialect } from '@posthorn/models';
import type { Random } from '@posthorn/runtime';
import type { ComposedRequest, DialectEnvelope, Occasion } from './message.ts';
import { nativeEnvelope } from './native.ts';
import { preoEnvelope } from './preo.ts';
import { createRapidlyEnvelope } from './rapidly.ts';
import { ricloudEnvelope } from './ricloud.ts';
import { childTraceparent } from './traceparent.ts';
import { createXurrentEnvelope } from './xurrent.ts';

export type { ComposedRequest, HeaderList, Occasion } from './message.ts';

export interface Envelopes {
  /** The whole request of one attempt, and its trace where the event has one. Throws when it can't be made: our fault. */
  compose(occasion: Occasion): ComposedRequest;
  /** The body as it is or would be sent; of one that is signed anew for each attempt (a JWT), what is signed. */
  body(occasion: Occasion): Buffer;
}

export interface EnvelopeOptions {
  /** Where an organisation has no branding of its own. */
  readonly branding: Branding;
  /** Where an organisation has no account URL of its own. */
  readonly publicUrl: () => string;
  readonly random: Random;
}

export function createEnvelopes({ branding, publicUrl, random }: EnvelopeOptions): Envelopes {
  const ofDialect: Readonly<Record<Dialect, DialectEnvelope>> = {
    standard: nativeEnvelope,
    ricloud: ricloudEnvelope,
    xurrent: createXurrentEnvelope({ publicUrl, random }),
    rapidly: createRapidlyEnvelope(branding),
    preo: preoEnvelope,
  };
  return {
    compose(occasion) {
      const composed = ofDialect[occasion.target.endpoint.dialect].compose(occasion);
      const traceparent = childTraceparent(occasion.event.traceparent, random);
      if (traceparent === null) return composed;
      return { ...composed, headers: [...composed.headers, 'traceparent', traceparent] };
    },
    body: (occasion) => ofDialect[occasion.target.endpoint.dialect].body(occasion),
  };
}
