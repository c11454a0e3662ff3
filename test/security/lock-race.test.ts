import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../integration/host/folder.ts';

const lockModule = new URL('../../src/agent/host/files/lock.ts', import.meta.url).href;

/**
 * Returns a script that tries once, at each message, to take the lock of a dead process, and answers whether it got the
 * lock. While the script holds the lock, it creates a file that two holders cannot both create; it records every error
 * in `faults`.
 */
const racer = (folder: string) => `
  import { closeSync, openSync, appendFileSync, unlinkSync, existsSync } from 'node:fs';
  import { setTimeout } from 'node:timers/promises';
  const { tryLock } = await import('${lockModule}');
  process.on('message', async (round) => {
    const release = await tryLock('${folder}/lock').catch((thrown) => void appendFileSync('${folder}/faults', thrown.message));
    if (release) {
      try {
        closeSync(openSync('${folder}/room', 'wx'));
        await setTimeout(5);
        unlinkSync('${folder}/room');
      } catch (thrown) {
        appendFileSync('${folder}/faults', thrown.message + '\\n');
      }
      await release();
    }
    process.send(Boolean(release));
  });
  process.send('ready');
`;

test('two processes that find the lock of a dead process at the same time never both hold the lock', async () => {
  const folder = await temporaryFolder();
  await writeFile(`${folder}/faults`, '');
  const racers = Array.from({ length: 6 }, () => start(racer(folder)));
  await Promise.all(racers.map((each) => once(each, 'message')));
  for (let round = 0; round < 150; round += 1) {
    await writeFile(`${folder}/lock`, '4194305 1\n');
    const answers = racers.map((each) => once(each, 'message'));
    for (const each of racers) {
      each.send(round);
    }
    const held = (await Promise.all(answers)).filter(([got]) => got === true);
    expect(held.length, 'at least one process gets it').toBeGreaterThan(0);
  }
  expect(await readFile(`${folder}/faults`, 'utf8')).toBe('');
});

function start(script: string): ChildProcess {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: [...stdio] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
