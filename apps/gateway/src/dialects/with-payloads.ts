import { dispatchV1 } from '@posthorn/contracts';
import type { CallOptions } from '@posthorn/rpc';
import type { GatewayClients } from '../clients.ts';

/** Ids in one question. */
const step = 100;

/**
 * Deliveries as they were found, each with its event and its body where these are still kept. They are asked for in pieces: the
 * payloads of one page may be more than one message between the services holds.
 */
export async function withPayloads(
  deliveries: Pick<GatewayClients['deliveries'], 'searchDeliveries'>,
  items: readonly (dispatchV1.FoundDelivery | undefined)[],
  rpc: CallOptions,
): Promise<dispatchV1.FoundDelivery[]> {
  const known = items.flatMap((item) => (item === undefined ? [] : [item]));
  const found = new Map<string, dispatchV1.FoundDelivery>();
  const organisationIds = [...new Set(known.flatMap(({ delivery }) => delivery?.organisationId ?? []))];
  let missing = [...new Set(known.flatMap(({ delivery }) => delivery?.id ?? []))];
  while (missing.length > 0) {
    const ids = missing.slice(0, step);
    const answer = await deliveries.searchDeliveries(
      dispatchV1.SearchDeliveriesRequest.fromPartial({
        organisationIds,
        ids,
        limit: ids.length,
        includeEvent: true,
        includeBody: true,
      }),
      rpc,
    );
    for (const item of answer.items) if (item.delivery !== undefined) found.set(item.delivery.id, item);
    // What was forgotten in the meantime isn't asked for again.
    const isCutShort = answer.items.length > 0 && answer.hasMore;
    missing = missing.filter((id) => !found.has(id) && (isCutShort || !ids.includes(id)));
  }
  return known.map((item) => {
    const { event, body } = found.get(item.delivery?.id ?? '') ?? {};
    return { ...item, event, body };
  });
}
