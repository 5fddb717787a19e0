/**
 * Endpoints that are failing, as far as all dispatchers together know: one entry for each, from its fifth failure in a row until its next
 * success. What is told of an endpoint once, though several dispatchers see it, hangs on it. Few endpoints fail at a time, so the store is
 * small, and asking it is cheap. Adapters: `.sqlite.ts`, `.mongo.ts`; every adapter passes `trouble-store.contract.ts`.
 */
export interface TroubleStore {
  /**
   * Puts on record that an endpoint fails; when that is on record already, it stays as it is, but for `openUntil`, if that is given.
   * Answers what is on record then, and whether it was begun by this call.
   */
  begin(trouble: EndpointTrouble): Promise<{ readonly trouble: EndpointTrouble; readonly isNew: boolean }>;
  /**
   * Ends the trouble that began then; false when that isn't on record any more. A call that is tried again because its answer
   * was lost may answer false although it has ended it.
   */
  end(trouble: Pick<EndpointTrouble, 'organisationId' | 'endpointId' | 'failingSince'>): Promise<boolean>;
  /** Those of these endpoints that are failing. */
  find(organisationId: string, endpointIds: readonly string[]): Promise<readonly EndpointTrouble[]>;
  /** All of them, in the order of organisation and endpoint, after a place in it. */
  list(after: TroublePlace | null, limit: number): Promise<readonly EndpointTrouble[]>;
  /** Removes those of an organisation that is erased. */
  forget(organisationId: string): Promise<void>;
}

export interface TroublePlace {
  readonly organisationId: string;
  readonly endpointId: string;
}

export interface EndpointTrouble extends TroublePlace {
  /** When the first attempt began that has failed since the last success; that tells one trouble of an endpoint from another. */
  readonly failingSince: Date;
  /** Until when nothing but a probe goes out, by the dispatcher that said so last; null when none did. */
  readonly openUntil: Date | null;
}
