/** How many of each an organisation may have. */
export interface ConfigLimits {
  readonly endpoints: number;
  readonly eventTypes: number;
  readonly keys: number;
  readonly policies: number;
}

export const defaultLimits: ConfigLimits = {
  endpoints: 10_000,
  eventTypes: 1000,
  keys: 1000,
  policies: 1000,
};
