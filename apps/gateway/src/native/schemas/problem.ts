import { errorCodes, type Violation } from '@posthorn/models';
import type { Problem } from '../routing/problem.ts';
import { answerSchema, type PropertiesOf } from '../routing/schema.ts';

const violationSchema = answerSchema<Violation>('Violation', {
  description: 'One thing that is wrong with a request.',
  properties: {
    field: {
      type: 'string',
      description:
        'Where: a JSON pointer into the body (`/eventTypes/0`, empty for the body as a whole), or `?name` for a parameter or header.',
    },
    code: { type: 'string', description: 'What, for programs; new ones may be added.' },
    message: { type: 'string', description: 'What, for people.' },
  },
});

/** What every problem has; some have more. */
export const problemProperties: PropertiesOf<Problem> = {
  type: {
    type: 'string',
    format: 'uri',
    description: 'The kind of problem, as a URI: the code with a prefix.',
  },
  title: { type: 'string', description: 'The kind of problem, for people.' },
  status: { type: 'integer', description: 'The HTTP status.' },
  code: { type: 'string', enum: errorCodes },
  detail: { type: 'string', description: 'What went wrong this time, for people.' },
  requestId: {
    type: 'string',
    description: 'The `X-Request-Id` of the answer; name it when you ask for help.',
  },
  violations: { type: 'array', items: violationSchema, description: 'All that is wrong with the request.' },
};

export const problemSchema = answerSchema<Problem>('Problem', {
  description: 'An error (RFC 9457). Programs decide by `code`, which is from a closed list.',
  properties: problemProperties,
  optional: ['violations'],
  examples: [
    {
      type: 'urn:posthorn:problem:invalid_argument',
      title: 'The request is not valid.',
      status: 400,
      code: 'invalid_argument',
      detail: '2 problems were found; see violations.',
      requestId: 'fM3kq0ZbRtWd-1x',
      violations: [
        { field: '/url', code: 'required', message: 'This must be given.' },
        { field: '?limit', code: 'invalid_value', message: 'This must be a whole number from 1 to 250.' },
      ],
    },
  ],
});
