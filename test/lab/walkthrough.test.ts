import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from './processes.ts';

const repository = join(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/usage/walkthrough.md'), 'utf8');

/** A command in docs/usage/walkthrough.md, and the output that it must eventually print; `...` stands for any text. */
interface Step {
  readonly section: string;
  readonly command: string;
  readonly expected: string;
}

/** The shell function that the page defines for commands on one node. */
const [, preamble = ''] = /```sh\n(slipway\(\) .*)\n```/.exec(page) ?? [];

function steps(): readonly Step[] {
  return page.split(/^## /m).flatMap((part) => {
    const [section = ''] = part.split('\n');
    const blocks = [...part.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = '']) => block);
    return blocks.flatMap((block) =>
      block
        .split(/^\$ /m)
        .filter((text) => text !== '')
        .map((text) => {
          const [command = '', ...lines] = text.split('\n');
          return { section, command, expected: lines.join('\n').trimEnd() };
        }),
    );
  });
}

let lab: ChildProcess;
let said = '';

beforeAll(async () => {
  lab = spawn('npm', ['start', '--silent', '--', '--keep'], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [lab.stdout, lab.stderr]) {
    stream?.on('data', (chunk) => (said += chunk));
  }
  for (
    const end = Date.now() + 400_000;
    !said.includes('Everything keeps running until Ctrl-C.');
    await sleep(200)
  ) {
    if (Date.now() > end || lab.exitCode !== null) {
      throw new Error(`The lab does not come up:\n${said.slice(-3_000)}`);
    }
  }
});

afterAll(async () => {
  if (lab.exitCode !== null) {
    return;
  }
  lab.kill('SIGINT');
  await once(lab, 'exit');
});

test('the walkthrough has six numbered sections, and defines its shell function', () => {
  const broken = new Set(
    steps()
      .map(({ section }) => section)
      .filter((section) => /^\d/.test(section)),
  );
  expect([...broken].map((section) => section.slice(0, 2))).toEqual(['1.', '2.', '3.', '4.', '5.', '6.']);
  expect(preamble).not.toBe('');
});

test('a platform does not start in the folder of a lab that keeps running', async () => {
  const started = await runProgram(
    'bash',
    ['-c', script('npm run --silent lab -- platform vps')],
    environment,
  );
  expect(started.exitCode).toBe(1);
  expect(started.stdout).toBe('A lab runs in .lab already. End it with Ctrl-C first.\n');
});

test.each(steps())(
  'the walkthrough shows the real output of $command in section $section',
  async ({ command, expected }) => {
    const pattern = patternOf(expected);
    let printed = '';
    for (const end = Date.now() + 120_000; ; await sleep(500)) {
      const { stdout, stderr } = await runProgram('bash', ['-c', script(command)], environment);
      printed = stdout + stderr;
      if (pattern.test(printed)) {
        return;
      }
      // Only commands that change nothing are repeated.
      if (!/^(NODE=\w+ )?slipway (status|doctor|turn)$/.test(command) || Date.now() > end) {
        break;
      }
    }
    expect(printed).toMatch(pattern);
  },
);

const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' };

/** Returns a script that runs the command as a reader would: in the folder of the project, with the page's function. */
function script(command: string): string {
  return `cd '${repository}'\n${preamble}\n${command}`;
}

/**
 * Returns a pattern for output that begins with the expected lines; each line may continue with any text. Blanks match
 * any number of blanks; `...` matches any text, or any lines if it is alone on a line. If `expected` is empty, the
 * pattern matches only empty output.
 */
function patternOf(expected: string): RegExp {
  if (expected === '') {
    return /^$/;
  }
  const lines = expected.split('\n').map((line) => {
    if (line === '...') {
      return '(?:.*\\n)*?';
    }
    if (line === '') {
      return '\\n';
    }
    const words = line
      .trim()
      .split(/\s+/)
      .map((word) => word.split('...').map(escaped).join('.*'));
    return `[ ]*${words.join('\\s+').replaceAll('.*\\s+', '.*').replaceAll('\\s+.*', '.*')}[^\\n]*\\n`;
  });
  return new RegExp(`^${lines.join('')}`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
