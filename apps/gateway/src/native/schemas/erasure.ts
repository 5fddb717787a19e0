import { erasureFromMessage, type dispatchV1 } from '@posthorn/contracts';
import { erasureTargets, type Erasure, type ErasureTarget } from '@posthorn/models';
import { jobHistory, jobState } from './job.ts';
import { described, id } from './scalars.ts';
import { answerSchema, pageSchema, requestSchema, type Definition } from '../routing/schema.ts';

/** The body of `POST /v1/erasures`. */
export interface ErasureInput {
  readonly eventId?: string;
  readonly subject?: string;
}

const text: Definition = { type: 'string', minLength: 1, maxLength: 256 };

export const erasureInputSchema = requestSchema<ErasureInput>('NewErasure', {
  description: 'What is erased: exactly one of these.',
  properties: {
    eventId: described(text, 'The id of an event, also of one that is not on record yet.'),
    subject: described(text, 'Whom events are about: those that were accepted until now.'),
  },
});

/** An erasure as the API shows it. */
export interface ErasureView extends Omit<Erasure, 'organisationId' | 'target'> {
  readonly target: ErasureTarget['kind'];
  readonly eventId: string | null;
  readonly subjectHash: string | null;
}

const count: Definition = { type: 'integer', minimum: 0 };
const textOrNull: Definition = { type: ['string', 'null'] };

const progressSchema = answerSchema<Erasure['progress']>('ErasureProgress', {
  description: 'How far an erasure has come.',
  properties: {
    examined: described(count, 'Events that were looked at.'),
    events: described(count, 'Events that were erased.'),
    deliveries: described(
      count,
      'Deliveries that still waited and were cancelled; of an organisation, deliveries that were erased.',
    ),
    responses: described(count, 'Answers of receivers that were erased.'),
  },
});

export const erasureViewSchema = answerSchema<ErasureView>('Erasure', {
  description: 'What was published, erased for good, as a job. Its record stays.',
  properties: {
    id,
    state: jobState,
    target: { type: 'string', enum: erasureTargets },
    eventId: textOrNull,
    subjectHash: described(textOrNull, 'A keyed hash of the subject, which itself is not kept.'),
    progress: progressSchema,
    ...jobHistory,
  },
});

export const erasurePageSchema = pageSchema(erasureViewSchema);

export function erasureView(message: dispatchV1.Erasure): ErasureView {
  const { organisationId: _, target, ...erasure } = erasureFromMessage(message);
  return {
    ...erasure,
    target: target.kind,
    eventId: target.kind === 'event' ? target.eventId : null,
    subjectHash: target.kind === 'subject' ? target.subjectHash : null,
  };
}
