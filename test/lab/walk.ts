/**
 * A walk: a page of the documentation whose commands a reader types while a lab runs, with the output that each command
 * must eventually print. `...` stands for any text.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from './processes.ts';

const repository = join(import.meta.dirname, '../..');

/** A command of the page, and its output. */
export interface Step {
  readonly section: string;
  readonly command: string;
  readonly expected: string;
}

export interface Walk {
  readonly steps: readonly Step[];
  /** The shell functions that the page defines for its commands. */
  readonly preamble: string;
}

/** Reads a page below docs/usage: its blocks of commands with output, by section. */
export function readWalk(name: string): Walk {
  const page = readFileSync(join(repository, 'docs/usage', name), 'utf8');
  const functions = [...page.matchAll(/```sh\n((?:\w+\(\) \{.*\n)+)```/g)];
  return { steps: stepsOf(page), preamble: functions.map(([, text = '']) => text).join('') };
}

function stepsOf(page: string): readonly Step[] {
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

export interface KeptLab {
  /** Ends the lab as Ctrl-C does. */
  stop(): Promise<void>;
}

/** Starts a lab with an npm command, and resolves when the lab keeps running; rejects after `within` milliseconds. */
export async function keepLab(args: readonly string[], within: number): Promise<KeptLab> {
  const lab: ChildProcess = spawn('npm', [...args, '--keep'], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [lab.stdout, lab.stderr]) {
    stream?.on('data', (chunk) => (said += chunk));
  }
  for (const end = Date.now() + within; !said.includes(lastLine); await sleep(200)) {
    if (Date.now() > end || lab.exitCode !== null) {
      throw new Error(`The lab does not come up:\n${said.slice(-3_000)}`);
    }
  }
  return {
    stop: async () => {
      if (lab.exitCode === null) {
        lab.kill('SIGINT');
        await once(lab, 'exit');
      }
    },
  };
}

const lastLine = 'Everything keeps running until Ctrl-C.';

/**
 * Runs a step as a reader would, in the folder of the project. Repeats a command that changes nothing for up to
 * `within` milliseconds. Resolves to its last output, and to the pattern for the expected one.
 */
export async function taken(
  { command, expected }: Step,
  preamble: string,
  within: number,
): Promise<{ readonly printed: string; readonly pattern: RegExp }> {
  const pattern = patternOf(expected);
  for (const end = Date.now() + within; ; await sleep(500)) {
    const { stdout, stderr } = await runInProject(`${preamble}\n${command}`);
    const printed = stdout + stderr;
    if (pattern.test(printed) || !changesNothing.test(command) || Date.now() > end) {
      return { printed, pattern };
    }
  }
}

const changesNothing = /^(NODE=[\w-]+ )?(slipway (status|doctor|turn)|kubectl get .*)$/;

/** Runs a script of bash in the folder of the project. */
export function runInProject(script: string): ReturnType<typeof runProgram> {
  const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' };
  return runProgram('bash', ['-c', `cd '${repository}'\n${script}`], environment);
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
