import { createLogger, silentLogger, type LogLevel } from './logger.ts';

function capture(level?: LogLevel) {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'dispatcher',
    ...(level && { level }),
    destination: { write: (line) => lines.push(line) },
  });
  const parsed = (): Record<string, unknown>[] =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines, parsed };
}

describe('a logger', () => {
  it('writes one JSON object a line, with service, level by name, time and message', () => {
    const { logger, lines, parsed } = capture();

    logger.info({ deliveryId: 'd1' }, 'delivered');

    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('\n')).toBe(true);
    expect(parsed()[0]).toMatchObject({
      service: 'dispatcher',
      level: 'info',
      msg: 'delivered',
      deliveryId: 'd1',
    });
    expect(parsed()[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = capture('warn');

    logger.info('not this');
    logger.warn('but this');

    expect(lines).toHaveLength(1);
  });

  it('blanks secrets by name, at the top and one level down', () => {
    const { logger, lines } = capture();

    logger.info(
      {
        authorization: 'Bearer swordfish',
        token: 'swordfish',
        secrets: ['swordfish'],
        headers: { authorization: 'Bearer swordfish', cookie: 'swordfish', accept: 'text/plain' },
        endpoint: { secret: 'swordfish', url: 'https://example.com' },
      },
      'request',
    );

    expect(lines[0]).not.toContain('swordfish');
    expect(lines[0]).toContain('https://example.com');
    expect(lines[0]).toContain('text/plain');
  });

  it('writes what an error is and says, its causes included, and nothing else that hangs on it', () => {
    const { logger, lines, parsed } = capture();
    const refused = { code: 121, writeErrors: [{ op: { payload: 'swordfish' } }] };
    const cause = Object.assign(new Error('The document was refused.'), refused);

    logger.error({ err: cause }, 'could not be written');
    logger.error({ err: new TypeError('Nothing was written.', { cause }) }, 'could not be written');
    logger.error({ err: refused }, 'could not be written');

    expect(lines.join()).not.toContain('swordfish');
    expect(parsed()).toMatchObject([
      { err: { type: 'Error', code: 121, message: 'The document was refused.' } },
      { err: { type: 'TypeError', message: 'Nothing was written.: The document was refused.' } },
      { err: { type: 'object' } },
    ]);
  });

  it('blanks secrets among the fields of a child', () => {
    const { logger, lines } = capture();

    logger.child({ token: 'swordfish', service: 'gateway' }).info('request');

    expect(lines[0]).not.toContain('swordfish');
    expect(lines[0]).toContain('gateway');
  });

  it('shows an error with its stack and its cause', () => {
    const { logger, lines } = capture();

    logger.error({ err: new Error('could not write', { cause: new Error('disk full') }) }, 'failed');

    expect(lines[0]).toContain('could not write');
    expect(lines[0]).toContain('disk full');
  });

  it('does not change what it is given', () => {
    const { logger } = capture();
    const fields = { token: 'swordfish', nested: { secret: 'swordfish' } };

    logger.info(fields, 'request');

    expect(fields).toEqual({ token: 'swordfish', nested: { secret: 'swordfish' } });
  });
});

describe('the silent logger', () => {
  it('is enabled for nothing', () => {
    expect(silentLogger.isLevelEnabled('fatal')).toBe(false);
  });
});
