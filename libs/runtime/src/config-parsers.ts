/** How values of the environment are read: each parser knows what it allows, and says so in a problem and in the documentation. */
import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { parseCidr } from '@posthorn/models';

/** Reads one kind of value. */
export interface ConfigParser<T> {
  /** What is allowed, to follow "must be": `a whole number from 0 to 65535`. */
  readonly allowed: string;
  /** The value, or undefined when the text isn't one. */
  parse(text: string): T | undefined;
  /** A value as one would write it; `String` does when absent. */
  format?(value: T): string;
}

/** Any text of these lengths. */
export function text({ minLength = 1, maxLength = 4096 } = {}): ConfigParser<string> {
  return {
    allowed: minLength <= 1 ? 'text' : `text of ${minLength} characters or more`,
    parse: (value) => (value.length >= minLength && value.length <= maxLength ? value : undefined),
  };
}

/** A whole number within bounds, both included. */
export function integer({ min, max }: { readonly min: number; readonly max: number }): ConfigParser<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    parse: (value) => within(/^-?\d+$/.test(value) ? Number(value) : NaN, min, max),
  };
}

const booleans = new Map([
  ['true', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['off', false],
  ['0', false],
]);

/** Yes or no. */
export const boolean: ConfigParser<boolean> = {
  allowed: 'one of true, false, on, off, 1, 0',
  parse: (value) => booleans.get(value.toLowerCase()),
};

/** One of these words. */
export function choice<const T extends string>(choices: readonly T[]): ConfigParser<T> {
  return {
    allowed: `one of ${choices.join(', ')}`,
    parse: (value) => choices.find((candidate) => candidate === value),
  };
}

/** Values separated by commas, blanks around them ignored. */
export function list<T>(item: ConfigParser<T>): ConfigParser<readonly T[]> {
  return {
    allowed: `a list, separated by commas, of which each is ${item.allowed}`,
    parse(value) {
      const texts = value.split(',').map((part) => part.trim());
      const items = texts.filter((part) => part !== '').map((part) => item.parse(part));
      return items.some((parsed) => parsed === undefined)
        ? undefined
        : items.filter((parsed) => parsed !== undefined);
    },
  };
}

/** A range of addresses. */
export const cidr: ConfigParser<string> = {
  allowed: 'an address or a CIDR such as 10.0.0.0/8 or fd00::/8 with no bits set beyond its prefix',
  parse: (value) => parseCidr(value)?.text,
};

/** An absolute http or https URL without credentials, query or fragment; no slash at its end. */
export const url: ConfigParser<string> = {
  allowed: 'an http or https URL without credentials, query and fragment',
  parse(value) {
    const parsed = URL.parse(value);
    if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) return undefined;
    if (parsed.username || parsed.password || parsed.search || parsed.hash) return undefined;
    return parsed.href.replace(/\/$/, '');
  },
};

/** A name server: an address, with a port behind it or not; IPv6 in brackets then. A name could not be looked up without one. */
export const nameServer: ConfigParser<string> = {
  allowed: 'an address or `address:port`, such as 10.0.0.53, 10.0.0.53:5353 or [fd00::53]:53',
  parse(value) {
    // A zone (fe80::1%eth0) is read, and then left out, by who asks the name servers.
    if (value.includes('%')) return undefined;
    if (isIP(value) !== 0) return value;
    const [, v6, v4 = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(value) ?? [];
    if (v6 === undefined ? isIP(v4) !== 4 : isIP(v6) !== 6) return undefined;
    return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535) ? value : undefined;
  },
};

/** A forward proxy: an http or https URL of a host, with a port and credentials or without. */
export const proxyUrl: ConfigParser<URL> = {
  allowed: 'an http or https URL without a path, such as http://user:password@proxy.example:3128',
  parse(value) {
    const parsed = URL.parse(value);
    if (parsed === null || !/^https?:\/\/[^/?#]/i.test(value)) return undefined;
    if (parsed.pathname !== '/' || parsed.search || parsed.hash || parsed.port === '0') return undefined;
    return areDecodable(parsed.username, parsed.password) ? parsed : undefined;
  },
};

function areDecodable(...texts: readonly string[]): boolean {
  try {
    return texts.every((encoded) => !/[\0-\x1f\x7f]/.test(decodeURIComponent(encoded)));
  } catch {
    return false;
  }
}

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds, written plainly or with a unit: `1500`, `15s`, `5m`. */
export function durationMs({
  min,
  max,
}: {
  readonly min: number;
  readonly max: number;
}): ConfigParser<number> {
  return {
    allowed: `a duration from ${formatDuration(min)} to ${formatDuration(max)}, in milliseconds or with a unit (ms, s, m, h, d)`,
    parse: (value) => within(withUnit(value, durationUnits, 'ms'), min, max),
    format: formatDuration,
  };
}

const byteUnits = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** Bytes, written plainly or with a unit: `262144`, `256KiB`. */
export function bytes({ min, max }: { readonly min: number; readonly max: number }): ConfigParser<number> {
  return {
    allowed: `a size from ${formatBytes(min)} to ${formatBytes(max)}, in bytes or with a unit (B, KiB, MiB, GiB)`,
    parse: (value) => within(withUnit(value, byteUnits, 'B'), min, max),
    format: formatBytes,
  };
}

/** A path of the file system; relative ones begin at the working directory. */
export const path: ConfigParser<string> = {
  allowed: 'a path',
  parse: (value) => (value.includes('\0') ? undefined : isAbsolute(value) ? value : resolve(value)),
};

/** A key: 32 bytes in base64 or hexadecimal. */
export const bytes32: ConfigParser<Uint8Array> = {
  allowed: '32 bytes in base64 or hexadecimal (openssl rand -base64 32 makes one)',
  parse(value) {
    if (/^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex');
    if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return undefined;
    return Buffer.from(value, 'base64');
  },
};

/** Where a service is reached over gRPC; a plain `host:port` is a name whose addresses are all used. */
export const grpcTarget: ConfigParser<string> = {
  allowed: '`host:port`, or a gRPC target that begins with `dns:`, `ipv4:` or `ipv6:`',
  parse(value) {
    if (/^(dns|ipv4|ipv6):\S+$/.test(value)) return value;
    return /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/.test(value) ? `dns:///${value}` : undefined;
  },
};

/** A duration in the largest unit that it is a whole number of: `15s`. */
function formatDuration(ms: number): string {
  return formatWithUnit(ms, durationUnits, 'ms');
}

/** A size in the largest unit that it is a whole number of: `256KiB`. */
function formatBytes(size: number): string {
  return formatWithUnit(size, byteUnits, 'B');
}

function within(value: number, min: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

function withUnit(value: string, units: Readonly<Record<string, number>>, plain: string): number {
  const [, digits = '', unit = ''] = /^(\d+)\s*([A-Za-z]*)$/.exec(value) ?? [];
  const factor = Object.hasOwn(units, unit || plain) ? units[unit || plain] : undefined;
  return digits === '' || factor === undefined ? NaN : Number(digits) * factor;
}

function formatWithUnit(value: number, units: Readonly<Record<string, number>>, plain: string): string {
  const descending = Object.entries(units).toSorted(([, a], [, b]) => b - a);
  const [unit, factor] = descending.find(([, size]) => value > 0 && value % size === 0) ?? [plain, 1];
  return `${value / factor}${unit}`;
}
