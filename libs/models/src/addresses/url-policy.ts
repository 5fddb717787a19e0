import { addressClass, mayReach } from './address.ts';
import type { AllowList } from './cidr.ts';
import type { Violation } from '../errors.ts';
import { parseIp } from './ip.ts';

/**
 * Which URLs deliveries may go to, as far as that can be told without asking the network. A name may resolve to anything, and to
 * something else the next time: `checkResolvedTarget` judges what it resolves to now, and `mayReach` must be asked again of the address
 * that is connected to.
 */
export interface UrlPolicy {
  /** Plain http is refused, except for targets that `allow` names. */
  readonly requireHttps: boolean;
  /** Addresses that may be reached although they aren't public. */
  readonly allow: AllowList;
}

export type CheckedTarget =
  | {
      readonly ok: true;
      readonly url: URL;
      /** The name that has to be resolved, and judged with `checkResolvedTarget`; null when the host says it all. */
      readonly name: string | null;
    }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** How long a URL may be, in characters. */
export const maxUrlLength = 2048;

/** A target's URL, or what is wrong with it. */
export function checkTargetUrl(text: string, policy: UrlPolicy, field = '/url'): CheckedTarget {
  const refused = (code: string, message: string): CheckedTarget => ({
    ok: false,
    violations: [{ field, code, message }],
  });
  if (text.length > maxUrlLength)
    return refused('too_long', `At most ${maxUrlLength} characters are allowed.`);
  // The URL parser drops tabs and line ends and trims, and takes \ for /: what it is given must already be what it understands.
  if (/[\p{C}\p{Z}\\]/u.test(text)) {
    return refused('invalid_format', 'A URL has no spaces, control characters or backslashes; encode them.');
  }
  if (!/^https?:\/\/[^/?#]/i.test(text) || !URL.canParse(text)) {
    return refused(
      'invalid_format',
      'An absolute URL that begins with https:// or http:// is wanted, with a host.',
    );
  }
  const url = new URL(text);
  const violations = [...partViolations(url, text, field), ...hostViolations(url, policy, field)];
  if (violations.length > 0) return { ok: false, violations };
  const isJudged = literalAddress(url) !== null || isLocalhost(url);
  return { ok: true, url, name: isJudged ? null : bareHost(url) };
}

/**
 * What is wrong with a target whose name resolves to these addresses; none, when it doesn't resolve: then it is judged when it is
 * connected to. Must be asked whenever `checkTargetUrl` gave a name, since only now it is known whether plain http will do.
 */
export function checkResolvedTarget(
  url: URL,
  addresses: readonly string[],
  policy: UrlPolicy,
  field = '/url',
): readonly Violation[] {
  if (addresses.some((address) => !mayReach(address, policy.allow))) {
    // Which address it is stays untold: it may come from a resolver that knows more than the one who asks may know.
    const message = `${bareHost(url)} resolves to an address that isn't public.`;
    return [{ field, code: 'address_not_public', message }];
  }
  const isAllowed = addresses.length > 0 && addresses.every((address) => policy.allow.contains(address));
  return url.protocol === 'http:' && policy.requireHttps && !isAllowed ? [httpsRequired(field)] : [];
}

function partViolations(url: URL, text: string, field: string): readonly Violation[] {
  const violations: Violation[] = [];
  const authority = text.slice(text.indexOf('//') + 2).split(/[/?#]/, 1)[0] ?? '';
  if (url.username !== '' || url.password !== '' || authority.includes('@')) {
    const message = 'A URL with a user or password is refused; use a custom header for credentials.';
    violations.push({ field, code: 'credentials_not_allowed', message });
  }
  if (text.includes('#')) {
    const message =
      'A fragment (#…) is never sent to a server; leave it out, or write %23 for the character.';
    violations.push({ field, code: 'fragment_not_allowed', message });
  }
  if (url.port === '0')
    violations.push({ field, code: 'invalid_format', message: "Port 0 can't be connected to." });
  return violations;
}

function hostViolations(url: URL, policy: UrlPolicy, field: string): readonly Violation[] {
  const address = literalAddress(url);
  if (address !== null) {
    if (!mayReach(address, policy.allow)) return [privateAddress(address, field)];
    const needsHttps = url.protocol === 'http:' && policy.requireHttps && !policy.allow.contains(address);
    return needsHttps ? [httpsRequired(field)] : [];
  }
  const name = bareHost(url);
  if (isLocalhost(url)) {
    if (policy.allow.contains('127.0.0.1') || policy.allow.contains('::1')) return [];
    const message = `${name} is this machine itself; deliveries may not reach it.`;
    return [{ field, code: 'address_not_public', message }];
  }
  const labels = name.split('.');
  if (name.length > 253 || labels.some((label) => label.length === 0 || label.length > 63)) {
    return [{ field, code: 'invalid_format', message: "The host isn't a name that could be resolved." }];
  }
  return [];
}

/** The host without brackets and without the dot that may end a full name. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** The host where it is an address: the parser has brought disguised forms (0x7f.1, 2130706433) into the plain one. */
function literalAddress(url: URL): string | null {
  const host = bareHost(url);
  return parseIp(host) === null ? null : host;
}

/** `localhost` and what is under it (RFC 6761): loopback, whatever a resolver says. */
function isLocalhost(url: URL): boolean {
  return /(?:^|\.)localhost$/.test(bareHost(url));
}

function privateAddress(address: string, field: string): Violation {
  const { range, cidr } = addressClass(address);
  const message = `${address} isn't a public address (${range}, ${cidr}).`;
  return { field, code: 'address_not_public', message };
}

function httpsRequired(field: string): Violation {
  return { field, code: 'https_required', message: 'Only https:// is accepted here.' };
}
