import type { UrlPolicy } from '@posthorn/models';

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
  /** Streams to event-ingest that publishes ride on: one (the default) within the process, a few over the network. */
  readonly publishStreams?: number;
  /** Which URLs endpoints may have, so that a refusal comes with everything else that is wrong. */
  readonly urlPolicy: UrlPolicy;
  /** Posthorn's version, for the reference. */
  readonly version: string;
}
