/** The bytes of a request to a JSON value, with an answer for everything that can be wrong on the way. */
import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { DomainError, type Violation } from '@posthorn/models';
import { checkJsonText, type JsonRules } from './json-text.ts';

/** The largest body of a management request. */
export const maxManagementBytes = 1024 * 1024;

/**
 * Refuses what can't be JSON by its own account: forms and compressed bodies. Otherwise the content type doesn't matter:
 * curl's default names a form where JSON is sent, and what isn't JSON shows when it is read.
 */
export function checkContentHeaders(headers: IncomingHttpHeaders): readonly Violation[] {
  const violations: Violation[] = [];
  const type = headers['content-type']?.toLowerCase() ?? '';
  if (type.startsWith('multipart/')) {
    violations.push({
      field: '?Content-Type',
      code: 'unsupported',
      message: 'This is a form; send application/json.',
    });
  }
  const charset = /;\s*charset="?([^";\s]+)/.exec(type)?.[1];
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
    violations.push({
      field: '?Content-Type',
      code: 'unsupported',
      message: `This names ${charset}; send UTF-8.`,
    });
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const message = 'This is not supported; send the body as it is.';
    violations.push({ field: '?Content-Encoding', code: 'unsupported', message });
  }
  return violations;
}

/** Parses a body. Throws `invalid_argument` with the position of what is wrong. */
export function parseJsonBody(bytes: Buffer): unknown {
  return parse(bytes, { repeatedNames: 'refused' });
}

/** As `parseJsonBody`, but the last of several members with one name counts, as with nearly every parser. */
export function parseForgivingJson(bytes: Buffer): unknown {
  return parse(bytes, { repeatedNames: 'accepted' });
}

function parse(bytes: Buffer, rules: JsonRules): unknown {
  if (!isUtf8(bytes)) {
    throw DomainError.invalid([{ field: '', code: 'encoding', message: 'The body is not valid UTF-8.' }]);
  }
  const text = bytes.toString('utf8');
  checkJsonText(text, rules);
  return JSON.parse(text) as unknown;
}
