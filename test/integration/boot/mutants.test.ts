import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = 'test/boot/mutants';
const scenarios = readdirSync('test/boot/scenarios');

test.each(readdirSync(folder))(
  'the boot mutant %s applies, and names the test that catches the mutant',
  (name) => {
    const path = join(folder, name);
    execFileSync('git', ['apply', '--check', path], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(readFileSync(path, 'utf8')).toMatch(/^Caught by: \S.*\n\n/);
    expect(scenarios.filter((scenario) => scenario.startsWith(name.slice(0, 3)))).toHaveLength(1);
  },
);

test('every boot scenario has a mutant', () => {
  const numbers = readdirSync(folder).map((name) => name.slice(0, 3));
  expect(scenarios.filter((scenario) => !numbers.includes(scenario.slice(0, 3)))).toEqual([]);
});
