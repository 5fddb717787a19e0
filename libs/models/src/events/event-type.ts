/** An entry of an organisation's catalogue of event types. */
export interface EventType {
  readonly organisationId: string;
  readonly name: string;
  readonly description: string;
  /** JSON Schema 2020-12 as JSON text; null: anything goes. */
  readonly schemaJson: string | null;
  readonly enforcement: Enforcement;
  /** A retired type can no longer be published. */
  readonly retired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const enforcements = ['off', 'warn', 'reject'] as const;
export type Enforcement = (typeof enforcements)[number];
