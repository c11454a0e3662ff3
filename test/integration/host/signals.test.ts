import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './folder.ts';

const host = new URL('../../../src/agent/host/', import.meta.url);

/**
 * Returns the source of a program that records its signals in the file `asked`, runs a shell with a child, both of
 * which ignore SIGTERM, and writes the process ids of both to the file `pids`.
 */
const program = (folder: string) => `
  import { appendFileSync } from 'node:fs';
  import { nodeHost } from '${host}node-host.ts';
  import { onSignals } from '${host}process/signals.ts';
  const note = (signal) => appendFileSync('${folder}/asked', signal + ' ');
  onSignals({ stop: note, reload: note, grace: 300 });
  const script = 'trap "" TERM; sleep 60 & echo $$ $! > ${folder}/pids; wait';
  await nodeHost().run({ file: 'sh', args: ['-c', script], timeout: 60_000 });
`;

test('a process that receives SIGTERM during a command kills the command', async () => {
  const folder = await temporaryFolder();
  await writeFile(`${folder}/program.mjs`, program(folder));
  const child = spawn(process.execPath, [`${folder}/program.mjs`], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pids = await started(`${folder}/pids`);
  expect(await Promise.all(pids.map(lives))).toEqual([true, true]);
  child.kill('SIGHUP');
  await setTimeout(100);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect.poll(() => Promise.all(pids.map(lives))).toEqual([false, false]);
  expect(await readFile(`${folder}/asked`, 'utf8')).toBe('SIGHUP SIGTERM ');
});

test('a process that ends itself kills its children, and exits after the grace period', async () => {
  const folder = await temporaryFolder();
  const ending = program(folder)
    .replace('onSignals(', 'const endSoon = onSignals(')
    .replace('  await nodeHost()', '  endSoon();\n  await nodeHost()');
  await writeFile(`${folder}/program.mjs`, ending.replace('grace: 300', 'grace: 2_000'));
  const child = spawn(process.execPath, [`${folder}/program.mjs`], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pids = await started(`${folder}/pids`);
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect.poll(() => Promise.all(pids.map(lives))).toEqual([false, false]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a command that %s interrupts can still undo its work',
  async (signal) => {
    const folder = await temporaryFolder();
    const undoing = `
      import { writeFileSync } from 'node:fs';
      import { nodeHost } from '${host}node-host.ts';
      import { abortedBySignals } from '${host}process/signals.ts';
      const interrupted = abortedBySignals(10_000);
      writeFileSync('${folder}/pids', process.pid + '\\n');
      await nodeHost().sleep(60_000, interrupted);
      writeFileSync('${folder}/undone', String(interrupted.aborted));
    `;
    await writeFile(`${folder}/program.mjs`, undoing);
    const child = spawn(process.execPath, [`${folder}/program.mjs`], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    await started(`${folder}/pids`);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await readFile(`${folder}/undone`, 'utf8')).toBe('true');
  },
);

async function started(path: string): Promise<readonly number[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.endsWith('\n')) {
    return text.trim().split(' ').map(Number);
  }
  await setTimeout(20);
  return started(path);
}

/**
 * True if the process is running; false for a zombie, which stays in /proc until its parent reaps it, and for a missing
 * process.
 */
async function lives(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}
