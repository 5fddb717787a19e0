/**
 * Compares the contracts with those that others may already use: those of the last release where there is one, else
 * those of the commit before this work (the fork from main, or on main its previous commit).
 * Where there is no such commit, as in a clone of depth 1, there is nothing to compare with.
 */
import { runCommand } from '../run-command.ts';

const baseline = findBaseline();
if (baseline === null) {
  console.log('no earlier contracts to compare with');
} else {
  const archive = runCommand('git', ['archive', '--format=tar', baseline, 'buf.yaml', 'proto']);
  console.log(`comparing with ${git('log', '-1', '--format=%h %s', baseline) ?? baseline}`);
  try {
    process.stdout.write(runCommand('buf', ['breaking', '--against', '-#format=tar'], { input: archive }));
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) process.stdout.write(String(error.stdout));
    process.exitCode = 1;
  }
}

function findBaseline(): string | null {
  const release = git('describe', '--tags', '--abbrev=0', '--match', 'v*');
  const fork = git('merge-base', 'HEAD', 'origin/main') ?? git('merge-base', 'HEAD', 'main');
  const head = git('rev-parse', 'HEAD');
  const candidate = release ?? (fork === head ? git('rev-parse', '--verify', 'HEAD~1') : fork);
  return candidate !== null && git('rev-parse', '--verify', `${candidate}:proto`) !== null ? candidate : null;
}

/** What git answers, or null where it has no answer. */
function git(...args: string[]): string | null {
  try {
    return runCommand('git', args, { quiet: true }).toString().trim();
  } catch {
    return null;
  }
}
