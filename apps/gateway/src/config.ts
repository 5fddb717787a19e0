/** The gateway's settings. */
export interface GatewayConfig {
  /** The address to listen on. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** What every link of ours begins with; the listening address when null. */
  readonly publicUrl: string | null;
  /** The largest event that is accepted, in bytes of its JSON. */
  readonly maxEventBytes: number;
  /** Posthorn's version, for the reference. */
  readonly version: string;
}
