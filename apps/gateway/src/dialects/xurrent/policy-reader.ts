/** Reading policies: an organisation's, or for operators who name no account, those of all. */
import { policyFromMessage } from '@posthorn/contracts';
import { DomainError, type Policy } from '@posthorn/models';
import type { GatewayClients } from '../../clients.ts';
import type { DialectCall } from '../dialect.ts';

type Caller = Pick<DialectCall, 'organisationId' | 'rpc'>;

export interface PolicyReader {
  /** All of them, in no order. */
  list(caller: Caller): Promise<readonly Policy[]>;
  /** The one with that number; `not_found` for anything else. */
  read(number: string, caller: Caller): Promise<Policy>;
}

/** How many organisations are asked about at a time. */
const organisationsAtOnce = 100;

export function createPolicyReader({
  policies,
  organisations,
}: Pick<GatewayClients, 'policies' | 'organisations'>): PolicyReader {
  async function listOf(organisationId: string, { rpc }: Caller): Promise<readonly Policy[]> {
    const answer = await policies.listPolicies({ organisationId, limit: 0, cursor: '' }, rpc);
    return answer.policies.map(policyFromMessage);
  }

  async function listOfAll(caller: Caller): Promise<readonly Policy[]> {
    const all: Policy[] = [];
    let cursor = '';
    do {
      const page = await organisations.listOrganisations({ limit: organisationsAtOnce, cursor }, caller.rpc);
      const lists = await Promise.all(page.organisations.map(({ id }) => listOf(id, caller)));
      all.push(...lists.flat());
      cursor = page.nextCursor;
    } while (cursor !== '');
    return all;
  }

  const list: PolicyReader['list'] = (caller) =>
    caller.organisationId === null ? listOfAll(caller) : listOf(caller.organisationId, caller);

  return {
    list,
    async read(number, caller) {
      // An id of ours would be found too, but isn't one of theirs.
      if (!/^\d{1,15}$/.test(number)) throw notFound();
      const { organisationId, rpc } = caller;
      if (organisationId === null) {
        const found = (await listOfAll(caller)).find((policy) => policy.number === Number(number));
        if (found === undefined) throw notFound();
        return found;
      }
      const { policy } = await policies.getPolicy({ organisationId, idOrNumber: number }, rpc);
      if (policy === undefined) throw notFound();
      return policyFromMessage(policy);
    },
  };
}

function notFound(): DomainError {
  return new DomainError('not_found', 'There is no such policy.');
}
