import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { summarizeProfile } from './cpu-profile.ts';
import type { ProfileSummary, ProfileWindow } from './cpu-profile.ts';

const repository = join(import.meta.dirname, '..');

function frame(functionName: string, file?: string): object {
  return {
    functionName,
    url:
      file === undefined || file.startsWith('node:')
        ? (file ?? '')
        : pathToFileURL(join(repository, file)).href,
    lineNumber: 9,
  };
}

/** Samples at 100, 200, 300, 400 and 500 ms, each of which stands for the time until the next one. */
const profile = {
  startTime: 0,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 5] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('commit', 'libs/sqlite/src/group-commit.ts'), children: [4] },
    { id: 4, callFrame: frame('exec') },
    { id: 5, callFrame: frame('', 'node_modules/@scope/name/node_modules/inner/lib/index.js') },
  ],
  samples: [3, 4, 2, 5, 2],
  timeDeltas: [100_000, 100_000, 100_000, 100_000, 100_000],
};

describe('summarizeProfile', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-profile-'));
  });
  afterAll(() => {
    rmSync(directory, { recursive: true });
  });

  function summarize(window?: ProfileWindow): ProfileSummary {
    const file = join(directory, 'a.cpuprofile');
    writeFileSync(file, JSON.stringify(profile));
    return summarizeProfile(file, window);
  }

  it('gives each function, file and package its own time, as a share of the busy time', () => {
    const { busyMs, idleMs, functions, packages } = summarize();
    expect([busyMs, idleMs]).toEqual([300, 100]);
    expect(packages.map(({ name, ms }) => [name, ms])).toEqual([
      ['libs/sqlite', 100],
      ['(native)', 100],
      ['node_modules/inner', 100],
    ]);
    expect(functions.map(({ name }) => name)).toEqual([
      'commit  libs/sqlite/src/group-commit.ts:10',
      'exec (native, from commit  libs/sqlite/src/group-commit.ts)',
      '(anonymous)  node_modules/@scope/name/node_modules/inner/lib/index.js:10',
    ]);
    expect(functions[0]?.share).toBeCloseTo(1 / 3);
  });

  it('looks at a part only', () => {
    expect(summarize({ fromMicros: 150_000, toMicros: 350_000 })).toMatchObject({ busyMs: 100, idleMs: 100 });
  });
});
