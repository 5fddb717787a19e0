import { configV1 } from '@posthorn/contracts';
import { operator, tenant, useHarness, violatedFields } from '../config.harness.ts';

const schemaJson = JSON.stringify({ type: 'object', required: ['amount'] });
const { ENFORCEMENT_OFF, ENFORCEMENT_REJECT, ENFORCEMENT_WARN } = configV1.Enforcement;

describe('EventTypeService', () => {
  const harness = useHarness({ limits: { eventTypes: 3 } });
  let organisationId: string;

  beforeEach(async () => {
    organisationId = await harness().organisation('acme');
  });

  const as = () => ({ principal: tenant(organisationId) });
  const message = (name: string, over: Partial<configV1.EventType> = {}): configV1.EventType => ({
    ...configV1.EventType.fromPartial({ organisationId, name }),
    ...over,
  });
  const put = (...args: Parameters<typeof message>) =>
    harness().eventTypes.putEventType({ eventType: message(...args) }, as());
  const update = (name: string, over: Partial<configV1.EventType>, updateMask: string[]) =>
    harness().eventTypes.updateEventType({ eventType: message(name, over), updateMask }, as());
  const get = (name: string) => harness().eventTypes.getEventType({ organisationId, name }, as());

  it('makes a type, then replaces it whole', async () => {
    const made = await put('order.paid', { description: 'Paid', schemaJson, enforcement: ENFORCEMENT_WARN });
    expect(made).toMatchObject({ created: true, eventType: { schemaJson, enforcement: ENFORCEMENT_WARN } });
    harness().clock.advance(1000);
    const replaced = await put('order.paid', { retired: true });
    expect(replaced).toMatchObject({
      created: false,
      eventType: { description: '', retired: true, enforcement: ENFORCEMENT_OFF },
    });
    expect(replaced.eventType?.schemaJson).toBeUndefined();
    expect(replaced.eventType?.createdAt).toEqual(made.eventType?.createdAt);
    expect(await get('order.paid')).toEqual({ eventType: replaced.eventType });
  });

  it('enforces a schema unless told otherwise', async () => {
    expect((await put('a', { schemaJson })).eventType?.enforcement).toBe(ENFORCEMENT_REJECT);
    expect((await put('b')).eventType?.enforcement).toBe(ENFORCEMENT_OFF);
  });

  it('refuses what is wrong with name, description and schema, all at once', async () => {
    const wrong = { description: 'x'.repeat(1001), schemaJson: JSON.stringify({ type: 'objekt' }) };
    const fields = await violatedFields(put('no name!', wrong));
    expect(fields).toEqual(expect.arrayContaining(['/name', '/description', '/schema/type']));
  });

  it('does not compile a schema that is no JSON object, too large or too deep', async () => {
    const large = JSON.stringify({ description: 'x'.repeat(70_000) });
    const deep = '{"not":'.repeat(200) + 'true' + '}'.repeat(200);
    for (const text of ['{', '[]', 'null', large, deep]) {
      expect(await violatedFields(put('a', { schemaJson: text }))).toEqual(['/schema']);
    }
  });

  it('keeps the names of operational events to itself', async () => {
    await expect(put('posthorn.endpoint.created')).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('changes the fields that the mask names and leaves the others', async () => {
    await put('a', { description: 'kept', schemaJson });
    const { eventType } = await update('a', { description: 'ignored', retired: true }, ['retired']);
    expect(eventType).toMatchObject({ description: 'kept', schemaJson, retired: true });
    const cleared = await update('a', {}, ['schema_json', 'enforcement']);
    expect(cleared.eventType).toMatchObject({ description: 'kept', enforcement: ENFORCEMENT_OFF });
    expect(cleared.eventType?.schemaJson).toBeUndefined();
    await expect(update('a', { schemaJson: '{"type":1}' }, ['schema_json'])).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    await expect(update('a', {}, ['name'])).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('refuses one type more than an organisation may have', async () => {
    for (const name of ['a', 'b', 'c', 'c']) await put(name);
    await expect(put('d')).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('lists page after page, and deletes once', async () => {
    for (const name of ['a', 'b', 'c']) {
      await put(name);
      harness().clock.advance(1);
    }
    const first = await harness().eventTypes.listEventTypes({ organisationId, limit: 2, cursor: '' }, as());
    const { nextCursor: cursor } = first;
    const second = await harness().eventTypes.listEventTypes({ organisationId, limit: 2, cursor }, as());
    expect([...first.eventTypes, ...second.eventTypes].map(({ name }) => name)).toEqual(['c', 'b', 'a']);
    await harness().eventTypes.deleteEventType({ organisationId, name: 'b' }, as());
    for (const call of [
      () => get('b'),
      () => update('b', {}, ['retired']),
      () => harness().eventTypes.deleteEventType({ organisationId, name: 'b' }, as()),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('answers operators that name an organisation that does not exist with not_found', async () => {
    const eventType = { ...message('a'), organisationId: 'acme' };
    await expect(
      harness().eventTypes.putEventType({ eventType }, { principal: operator }),
    ).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
