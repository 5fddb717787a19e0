import { parseStackCommand } from './stack-command.ts';

describe('npm run stack', () => {
  test('starts both servers where their clients look first', () => {
    expect(parseStackCommand([])).toEqual({
      name: 'start',
      servers: ['kafka', 'mongodb'],
      ports: { kafka: 9092, mongodb: 27017 },
      dataDirs: { kafka: undefined, mongodb: undefined },
    });
  });

  test('takes ports, one server only, and a directory for each', () => {
    const args = ['--kafka-port', '19092', '--only', 'kafka', '--data-dir', '/srv/stack'];
    expect(parseStackCommand(args)).toEqual({
      name: 'start',
      servers: ['kafka'],
      ports: { kafka: 19092, mongodb: 27017 },
      dataDirs: { kafka: '/srv/stack/kafka', mongodb: '/srv/stack/mongodb' },
    });
  });

  test('fetches without starting', () => {
    expect(parseStackCommand(['fetch', '--only', 'mongodb'])).toEqual({
      name: 'fetch',
      servers: ['mongodb'],
    });
  });

  test.each([
    [['--kafka-port', '70000'], "--kafka-port isn't a port: 70000"],
    [['--mongodb-port', '1e3'], "--mongodb-port isn't a port: 1e3"],
    [['--only', 'redis'], '--only takes kafka or mongodb, not redis'],
    [['start'], '"fetch" or nothing, not start'],
    [['--port', '1'], "Unknown option '--port'"],
  ])('refuses %j', (args, message) => {
    expect(() => parseStackCommand(args)).toThrow(message);
  });
});
