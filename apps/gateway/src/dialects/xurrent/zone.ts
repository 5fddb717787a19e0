/** Times as xurrent writes them: in the organisation's time zone, with its offset and without a fraction. */
import { DomainError } from '@posthorn/models';
import { readTime } from '../../native/routing/rfc3339.ts';

/** A time zone, for writing and reading times. */
export interface Zone {
  /** `2015-09-10T12:15:16-05:00`; UTC has `+00:00`. */
  format(moment: Date): string;
  /** Null for what isn't a time; one without an offset, or a bare date, is in this zone. */
  parse(text: string): Date | null;
}

/** The zone with an IANA name. */
export function createZone(name: string): Zone {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });

  /** What a clock on the wall shows, as if that were UTC. */
  function wallClockMs(moment: Date): number {
    const shown = Object.fromEntries(
      parts.formatToParts(moment).map(({ type, value }) => [type, Number(value)]),
    );
    const at = (part: string): number => shown[part] ?? 0;
    return Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second'));
  }

  function offsetMs(moment: Date): number {
    return wallClockMs(moment) - Math.floor(moment.getTime() / 1_000) * 1_000;
  }

  return {
    format(moment) {
      const offset = offsetMs(moment);
      const wall = new Date(Math.floor(moment.getTime() / 1_000) * 1_000 + offset);
      return wall.toISOString().slice(0, 19) + offsetText(offset);
    },
    parse(text) {
      // A plus sign that wasn't encoded arrives as a space.
      const given = text.replace(/^(\S+T\S+) (\d\d:\d\d)$/, '$1+$2');
      if (/(?:[Zz]|[+-]\d\d:\d\d)$/.test(given) && given.includes('T')) return readTime(given);
      const local = readTime(/^\d{4}-\d\d-\d\d$/.test(given) ? `${given}T00:00:00Z` : `${given}Z`);
      return local === null ? null : new Date(local.getTime() - offsetMs(local));
    },
  };
}

function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${ms < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const zones = new Map<string, Zone>();

/** As `createZone`, made once for each name: there are a few hundred. */
export function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    try {
      zone = createZone(name);
    } catch (error) {
      throw new DomainError('internal', 'The time zone is unknown.', { cause: error });
    }
    zones.set(name, zone);
  }
  return zone;
}
