import type { Tag } from '../routing/route.ts';

/** What the reference says before its first route. */
export const openApiDescription = `
Posthorn delivers webhooks: you publish an event once, and every endpoint that asked for it gets it, signed and retried.

**Keys.** Every request carries an API key: \`Authorization: Bearer phk_…\`. A key belongs to one organisation and has
scopes; \`x:write\` includes \`x:read\`, and \`*\` is all of them. An operator key belongs to no organisation: it names the one to act for in
the header \`Posthorn-Organisation\` (id or slug), or as \`organisation\` in the body where the body has that field.

**JSON** in camelCase. Times are RFC 3339 in UTC with milliseconds, durations whole milliseconds (\`…Ms\`), ids texts. Unknown
fields in a request are refused, so that a typo doesn't pass silently; answers may get new fields, which a client must ignore.

**Lists** take \`limit\` and \`cursor\` and answer \`{"data": […], "nextCursor": "…" | null}\`, newest first.

**Errors** are \`application/problem+json\` with a \`code\` from a closed list, and with everything that is wrong with the request at once in
\`violations\`. 503 and 504 say that it isn't known whether something was done: try again with the same \`Idempotency-Key\`, or the same event id.

**Retrying safely.** Every POST takes an \`Idempotency-Key\`. Changes of an endpoint take \`If-Match\` with the \`ETag\` that you have seen.

**Secrets.** A signing secret is shown when an endpoint is created and under its \`secrets\`; an API key's token only when it is created.
`.trim();

/** What each section is about. */
export const tagDescriptions: Readonly<Record<Tag | 'Operation', string>> = {
  Organisations: 'Tenants: everything else belongs to exactly one. For operator keys.',
  'API keys': 'Who may do what. Revoking a key takes effect within 5 seconds.',
  'Event types': 'The catalogue of what is published, each with an optional JSON Schema for its payload.',
  Endpoints: 'Where events are delivered to, and which: by type, by labels, by a filter over the payload.',
  Encryption: 'The keys that secrets at rest are sealed with, and their rotation. For operators.',
  Policies:
    'How webhooks are signed as JSON Web Tokens, for endpoints of the dialect xurrent: algorithm, audience, expiry, key.',
  Filters: 'Trying out a payload filter.',
  Events: 'Publishing, and reading what was published.',
  Deliveries: 'One event for one endpoint: its state, its attempts, trying again.',
  Replays: 'Sending many deliveries again, as jobs that can be followed and cancelled.',
  Erasures: 'Removing what was published for good, by event or by subject, as jobs whose records stay.',
  'Audit log': 'Who did what to which resource, from where, and with what result.',
  Operation: 'For load balancers, monitoring and tools. No key is needed.',
};
