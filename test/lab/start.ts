/**
 * `npm start`: three nodes on this machine, from nothing to Ready, then a rotation of their registry passwords.
 *
 * It needs neither root nor systemd nor a network, and writes below .lab and dist only. `--keep` leaves all running
 * until Ctrl-C.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isPackaged, packaged } from './executable.ts';
import { type Lab, type Passwords, startLab } from './lab.ts';
import type { LabNode } from './node.ts';
import { tell } from './story.ts';

/** How long the first registry passwords live here; in Azure three hours. A third of that is left at the rotation. */
const passwordLife = 30_000;

/** Written by the unit of K3s when it starts. */
const stamp = 'run/slipway-k3s/stamp.json';

const { values: options } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const repository = join(import.meta.dirname, '../..');
const dir = join(repository, '.lab');

await main();

async function main(): Promise<void> {
  if (!isPackaged()) {
    say(`Packaging ${relative(repository, packaged)} (some ten seconds) ...`);
    execFileSync(process.execPath, ['packaging/package.ts', process.arch], {
      cwd: repository,
      stdio: 'inherit',
    });
  }
  say('\nAn emulated Azure, a release mirror and three VMs, below .lab:\n');
  const begun = performance.now();
  const lab = await startLab({
    dir,
    executable: [packaged],
    firstPasswordLife: passwordLife,
    onLog: (node, line) => {
      const told = tell(node, join(dir, node), line, (performance.now() - begun) / 1000);
      if (told !== undefined) say(told);
    },
  });
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  try {
    await Promise.race([tour(lab, begun), interrupted]);
  } catch (thrown) {
    say(`\nThe lab did not get where it should: ${thrown instanceof Error ? thrown.message : thrown}`);
    process.exitCode = 1;
  } finally {
    await lab.stop();
  }
  process.exit();
}

async function tour(lab: Lab, begun: number): Promise<void> {
  lab.start();
  const first = await lab.firstPasswords();
  await lab.waitReady();
  say(`\nThree nodes are Ready after ${((performance.now() - begun) / 1000).toFixed(1)} s.\n`);
  for (const node of lab.nodes) say(await shown(node));
  await rotation(lab, first);
  say(`\n${whereToLook(lab)}`);
  if (!options.keep) return;
  say('\nAll keeps running until Ctrl-C.');
  await new Promise(() => {});
}

async function rotation(lab: Lab, first: Passwords): Promise<void> {
  say(
    `Rotation: the registry passwords live ${passwordLife / 1000} s here and are renewed with a third of that left.`,
  );
  say('K3s reads them at its start only, so it is restarted (registries.onRotate).\n');
  const starts = await Promise.all(lab.nodes.map(k3sStart));
  await lab.rotated(first);
  await Promise.all(lab.nodes.map((node, index) => backAgain(node, starts[index])));
  say('');
  for (const [index, node] of lab.nodes.entries()) {
    const now = node.read('etc/rancher/k3s/registries.yaml') ?? '';
    const passwords = `registries.yaml ${digest(first[node.name] ?? '')} -> ${digest(now)}`;
    say(`${node.name.padEnd(13)}  ${passwords}, start of K3s ${starts[index]} -> ${await k3sStart(node)}`);
  }
}

/** K3s was started anew, and a pass that looked after that found the node Ready. */
async function backAgain(node: LabNode, before: string | undefined): Promise<void> {
  const isBack = async () =>
    (await k3sStart(node)) !== before &&
    node.isReady &&
    node.lookedAt > (node.modifiedAt(stamp) ?? Date.now());
  for (const end = Date.now() + 60_000; !(await isBack()); await sleep(300)) {
    if (Date.now() > end) throw new Error(`${node.name} is not Ready a minute after its rotation.`);
  }
}

/** systemd's id of the start of K3s. */
async function k3sStart(node: LabNode): Promise<string> {
  const { InvocationID = '' } = await node.show(node.name === 'server' ? 'k3s' : 'k3s-agent', 'InvocationID');
  return InvocationID.slice(0, 8);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

async function shown(node: LabNode): Promise<string> {
  const { stdout } = await node.slipway('status');
  return stdout.replaceAll(node.root, '');
}

function whereToLook(lab: Lab): string {
  const at = (path: string) => relative(process.cwd(), join(dir, path));
  const executable = relative(process.cwd(), packaged);
  const roots = lab.nodes.map(({ name }) => name).join(', ');
  return [
    `Where to look (${roots} each have a root below ${at('')}):`,
    `  the log of a node         ${at('server/.lab/slipway.log')}`,
    `  its conditions            ${executable} status --root ${at('server')}`,
    `  what it would change      PATH=${at('server/.lab/bin')}:$PATH ${executable} plan --root ${at('server')}${options.keep ? '' : '   (while it runs: npm start -- --keep)'}`,
    `  the journal of K3s        ${at('server/.lab/bin/journalctl')} -u k3s`,
    `  what K3s was given        ${at('agent/etc/rancher/k3s/')}`,
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
