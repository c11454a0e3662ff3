/**
 * Tests that each kind of invalid input causes one error that states source, problem and repair, and that the program
 * accepts unusual but valid input. In neither case does the program write a file.
 */
import { describe, expect, test } from 'vitest';
import { commandLine } from './cases/command-line.ts';
import { facts } from './cases/facts.ts';
import { nodeFiles } from './cases/node-files.ts';
import { settingsOfTheCommandLine } from './cases/set.ts';
import { settingsFiles } from './cases/settings-files.ts';
import { tags } from './cases/tags.ts';
import { values } from './cases/values.ts';
import { answerTo, type Case, canary, runHere } from './world.ts';

const sources: Readonly<Record<string, readonly Case[]>> = {
  'the command line': commandLine,
  '--set': settingsOfTheCommandLine,
  'the facts': facts,
  'the tags': tags,
  'a settings file': settingsFiles,
  'the settings': values,
  'the files of the node': nodeFiles,
};

describe.each(Object.entries(sources))('invalid input in %s', (_, cases) => {
  test.each(cases)('causes one error, which names the repair: $name', async (given) => {
    const { source, problem, repair, lines = 1, exitCode = 1, stdout } = given;
    const ended = await answerTo(given, runHere);
    expect(ended.stderr, 'the source').toMatch(source);
    expect(ended.stderr, 'the problem').toMatch(problem);
    expect(ended.stderr, 'the repair').toMatch(repair);
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stderr, 'one error').toMatch(new RegExp(`^slipway: (?!.*slipway: )(.+\\n){${lines}}$`));
    expect(ended.stderr, 'no stack, no defect').not.toMatch(/\n\s+at |node:internal|InternalError/);
    expect(ended.stdout).toMatch(stdout ?? /^$/);
    expect(ended.stdout + ended.stderr, 'no secret').not.toContain(canary);
    expect(ended.written, 'nothing is written').toEqual([]);
  });
});

describe('unusual but valid input', () => {
  const config = ['config', '--root', '{root}', '--cloud', 'static'];
  const own = 'etc/slipway/config.yaml';
  test.each<readonly [name: string, given: Pick<Case, 'args' | 'files'>, exitCode: number]>([
    ['an empty settings file', { args: config, files: { [own]: '' } }, 0],
    ['a settings file with only comments', { args: config, files: { [own]: '# role: server\n' } }, 0],
    [
      'a file with another extension in the settings folder',
      { args: config, files: { 'etc/slipway/config.d/x.bak': '[' } },
      0,
    ],
    ['a relative root', { args: ['config', '--root', 'test', '--cloud', 'static'] }, 0],
    [
      'an invalid tag that the settings ignore',
      { args: [...config, '--set', 'tags.version=false', '--set', 'static.tags={k3s-version: v1}'] },
      0,
    ],
    [
      'a damaged registries.yaml, which the plan replaces',
      {
        args: ['plan', ...config.slice(1), '--role', 'server', '--set', 'registries.servers=[a.io]'],
        files: { 'etc/rancher/k3s/registries.yaml': `configs: [${canary}` },
      },
      2,
    ],
  ])('is accepted: %s', async (_, given, exitCode) => {
    const ended = await answerTo(given, runHere);
    expect(ended).toMatchObject({ exitCode, stderr: '', written: [] });
    expect(ended.stdout).not.toContain(canary);
  });
});

test('slipway config and slipway doctor warn if the machine has signs of a cloud other than the chosen one', async () => {
  const files = {
    'etc/slipway/config.yaml': 'static: { address: 10.0.0.4 }\n',
    'run/cloud-init/cloud-id': 'oracle\n',
  };
  const warning = /This machine has a sign of the cloud oracle .* but Slipway uses static/;
  const shown = await answerTo({ args: ['config', '--root', '{root}'], files }, runHere);
  expect(shown).toMatchObject({ exitCode: 0, written: [] });
  expect(shown.stdout).toMatch(/^cloud: static +# auto: only static has a section$/m);
  expect(shown.stderr).toMatch(new RegExp(`^warning: ${warning.source}.*\n$`));
  const probed = await answerTo({ args: ['doctor', '--root', '{root}', '-o', 'json'], files }, runHere);
  expect(JSON.parse(probed.stdout).diagnoses).toContainEqual(
    expect.objectContaining({ about: 'cloud', level: 'warning', message: expect.stringMatching(warning) }),
  );
});
