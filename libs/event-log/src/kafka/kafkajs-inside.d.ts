/** The parts of kafkajs's inside that `kafkajs-repairs.ts` mends. */
declare module 'kafkajs/src/network/connection.js' {
  // eslint-disable-next-line no-restricted-exports -- What its CommonJS module is, seen as a default export.
  export default class Connection {
    /** What was received and isn't a whole response yet. */
    chunks: Buffer[];
    bytesBuffered: number;
    bytesNeeded: number;
    isConnected(): boolean;
    connect(): Promise<unknown>;
    disconnect(): Promise<unknown>;
  }
}

declare module 'kafkajs/src/protocol/requests/metadata/v6/response.js' {
  export interface MetadataResponse {
    readonly topicMetadata: readonly {
      readonly topicErrorCode: number;
      readonly topic: string;
      readonly partitionMetadata: readonly {
        readonly partitionErrorCode: number;
        readonly partitionId: number;
        readonly leader: number;
      }[];
    }[];
  }
  const response: { parse(response: MetadataResponse): Promise<MetadataResponse> };
  // eslint-disable-next-line no-restricted-exports -- What its CommonJS module is, seen as a default export.
  export default response;
}
