import { createLogger } from '@posthorn/runtime';
import { logLevel } from 'kafkajs';
import { kafkaLogLines } from './kafka-log-lines.ts';

function linesOf(level: logLevel, message: string, fields: object = {}): Record<string, unknown>[] {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'test',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  });
  kafkaLogLines(logger)()({
    namespace: 'Connection',
    level,
    label: '',
    log: { timestamp: 'then', logger: 'kafkajs', message, ...fields },
  });
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("kafkajs's log lines", () => {
  it.each([
    ['what it tries again after', logLevel.ERROR, 'Connection timeout', 'warn'],
    ['an ordinary rebalance', logLevel.ERROR, 'The group is rebalancing, re-joining', 'debug'],
    ['an answer that may not matter', logLevel.ERROR, 'Response Heartbeat(key: 12, version: 3)', 'debug'],
    ['an ordinary rebalance as a warning', logLevel.WARN, 'The group is rebalancing, re-joining', 'debug'],
    ['a warning', logLevel.WARN, 'something else', 'info'],
    ['news', logLevel.INFO, 'Starting', 'debug'],
    ['details', logLevel.DEBUG, 'Request', 'trace'],
  ])('%s is for whom it concerns', (_what, level, message, expected) => {
    expect(linesOf(level, message)).toMatchObject([{ level: expected, msg: `Connection: ${message}` }]);
  });

  it('prints errors and bytes as text', () => {
    const [line] = linesOf(logLevel.ERROR, 'x', {
      error: new Error('why'),
      payload: Buffer.from('abc'),
      stack: 's',
    });
    expect(line?.['kafka']).toEqual({ error: 'why', payload: '3 bytes' });
  });
});
