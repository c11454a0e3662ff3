import { afterAll, beforeAll, expect, test } from 'vitest';
import { type KeptLab, keepLab, readWalk, runInProject, taken } from './walk.ts';

const { steps, preamble } = readWalk('walkthrough.md');

let lab: KeptLab;

beforeAll(async () => {
  lab = await keepLab(['start', '--silent', '--'], 400_000);
});

afterAll(() => lab?.stop());

test('the walkthrough has six numbered sections, and defines its shell function', () => {
  const broken = new Set(steps.map(({ section }) => section).filter((section) => /^\d/.test(section)));
  expect([...broken].map((section) => section.slice(0, 2))).toEqual(['1.', '2.', '3.', '4.', '5.', '6.']);
  expect(preamble).toContain('slipway()');
});

test('a platform does not start in the folder of a lab that keeps running', async () => {
  const started = await runInProject('npm run --silent lab -- platform vps');
  expect(started.exitCode).toBe(1);
  expect(started.stdout).toBe('A lab runs in .lab already. End it with Ctrl-C first.\n');
});

test.each(steps)('the walkthrough shows the real output of $command in section $section', async (step) => {
  const { printed, pattern } = await taken(step, preamble, 120_000);
  expect(printed).toMatch(pattern);
});
