/** No way to have a server worked; says what was tried and what a person can do about it. */
export class MissingServerError extends Error {
  override readonly name = 'MissingServerError';

  /**
   * @param server its name, as `Kafka`
   * @param tried why each way didn't work, a line each
   * @param remedies what to do, any one of them
   */
  constructor(server: string, tried: readonly string[], remedies: readonly string[]) {
    super(
      [
        `There is no ${server} for the tests:`,
        ...tried.map((line) => `  - ${line}`),
        'Any one of these helps:',
        ...remedies.map((line, index) => `  ${index + 1}. ${line}`),
      ].join('\n'),
    );
  }
}
