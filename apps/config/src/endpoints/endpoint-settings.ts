import {
  type configV1,
  endpointFormatTable,
  labelSelectorFromMessage,
  onExhaustedFromMessage,
  orderingFromMessage,
  rateLimitFromMessage,
  signatureSchemeTable,
} from '@posthorn/contracts';
import {
  defaultEndpointSettingsOf,
  pointerTo,
  type Dialect,
  type EndpointSettings,
  type Violation,
} from '@posthorn/models';
import { maskedValue } from './endpoint-secrets.ts';
import { collecting } from '../violations.ts';

type Field = keyof EndpointSettings;
type Defaults = ReturnType<typeof defaultEndpointSettingsOf>;

/** How each field that an owner writes is read from a message; an empty one stands for its default. */
const readers: {
  readonly [F in Field]: (message: configV1.Endpoint, defaults: Defaults) => EndpointSettings[F];
} = {
  uid: (message) => message.uid ?? null,
  url: (message) => message.url,
  name: (message) => message.name,
  description: (message) => message.description,
  eventTypes: (message) => message.eventTypes?.values ?? null,
  labels: ({ labels }) => (labels === undefined ? null : labelSelectorFromMessage(labels)),
  filterJson: (message) => message.filterJson ?? null,
  editionId: (message) => message.editionId ?? null,
  format: ({ format }, defaults) =>
    format === 0 ? defaults.format : endpointFormatTable.fromMessage(format, '/format'),
  signing: ({ signing }, defaults) =>
    signing.length === 0
      ? defaults.signing
      : signing.map((scheme, index) => signatureSchemeTable.fromMessage(scheme, `/signing/${index}`)),
  policyId: (message) => message.policyId ?? null,
  headers: (message) => ({ ...message.headers }),
  timeoutMs: (message, defaults) => message.timeoutMs || defaults.timeoutMs,
  // Empty isn't the default here but says: no retries.
  retryDelaysMs: (message) => message.retryDelaysMs.map(Number),
  maxInFlight: (message, defaults) => message.maxInFlight || defaults.maxInFlight,
  rateLimit: ({ rateLimit }) => (rateLimit === undefined ? null : rateLimitFromMessage(rateLimit)),
  ordering: (message) => orderingFromMessage(message.ordering),
  onExhausted: (message) => onExhaustedFromMessage(message.onExhausted),
  metadata: (message) => ({ ...message.metadata }),
};

/** The fields that an owner writes. */
export const editableFields = Object.keys(readers) as readonly Field[];

export interface ReadSettings<Settings> {
  readonly settings: Settings;
  /** What couldn't be read; the rest is for the checks to judge. */
  readonly violations: readonly Violation[];
}

/** The named fields of a message about an endpoint of that dialect. */
export function readChanges(
  message: configV1.Endpoint | undefined,
  dialect: Dialect,
  fields: readonly Field[],
): ReadSettings<Partial<EndpointSettings>> {
  const violations: Violation[] = [];
  const defaults = defaultEndpointSettingsOf(dialect);
  const entries =
    message === undefined
      ? []
      : fields.flatMap((field) =>
          collecting<[Field, unknown][]>(violations, () => [[field, readers[field](message, defaults)]], []),
        );
  if (message === undefined && fields.length > 0)
    violations.push({ field: '/endpoint', code: 'required', message: 'This must be given.' });
  return { settings: Object.fromEntries(entries), violations };
}

/** Whole settings of a new endpoint. `given` names fields that are to be taken as they are although they are empty. */
export function readNewSettings(
  message: configV1.Endpoint | undefined,
  dialect: Dialect,
  given: readonly Field[],
): ReadSettings<EndpointSettings> {
  const byDefault: Field[] =
    message?.retryDelaysMs.length === 0 && !given.includes('retryDelaysMs') ? ['retryDelaysMs'] : [];
  const { settings, violations } = readChanges(
    message,
    dialect,
    editableFields.filter((field) => !byDefault.includes(field)),
  );
  return { settings: { ...defaultEndpointSettingsOf(dialect), url: '', ...settings }, violations };
}

/** Bytes of an endpoint's settings as JSON: many of them are held in memory by every dispatcher. */
const maxSettingsBytes = 64 * 1024;

/** What is wrong with settings that are fine one by one, but too large together. */
export function checkSize(settings: EndpointSettings): readonly Violation[] {
  const bytes = Buffer.byteLength(JSON.stringify(editableFields.map((field) => [field, settings[field]])));
  if (bytes <= maxSettingsBytes) return [];
  const message = `All settings together may have at most ${maxSettingsBytes} bytes as JSON; these have ${bytes}.`;
  return [{ field: '', code: 'too_large', message }];
}

export type Headers = EndpointSettings['headers'];

/**
 * New headers in the clear. An owner who sends back what they were shown keeps what they have: a masked value stands for
 * the present one of that header, whatever the case of its name, and is a violation where there is none.
 */
export function unmaskHeaders(
  given: Headers,
  present: Headers,
): { readonly headers: Headers; readonly violations: readonly Violation[] } {
  const violations: Violation[] = [];
  const presentByName = new Map(Object.entries(present).map(([name, value]) => [name.toLowerCase(), value]));
  const headers = Object.entries(given).map(([name, value]): [string, string] => {
    if (value !== maskedValue) return [name, value];
    const kept = presentByName.get(name.toLowerCase());
    if (kept === undefined) {
      const message =
        'This is the mask that answers show, and there is no present value that it could stand for.';
      violations.push({ field: pointerTo('/headers', name), code: 'masked', message });
    }
    return [name, kept ?? ''];
  });
  return { headers: Object.fromEntries(headers), violations };
}
