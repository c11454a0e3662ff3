/**
 * Implements `npm start`: brings up three nodes on this machine, from nothing to Ready, then shows two rotations of
 * their registry credentials.
 *
 * Needs neither root nor systemd nor a network, and writes only below .lab, dist and the folder for temporary files.
 * `--keep` keeps the lab running until Ctrl-C.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { serveControls } from './controls.ts';
import { isPackaged, packaged } from './executable.ts';
import { type Lab, startLab } from './lab.ts';
import { lengthened } from './limits.ts';
import type { LabNode } from './node.ts';
import { showRotations } from './rotations.ts';
import { tell } from './story.ts';

/** The lifetime of registry credentials in this lab, in milliseconds; three hours in Azure. */
const passwordLife = lengthened(24_000);

const { values: options } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const repository = join(import.meta.dirname, '../..');
const dir = join(repository, '.lab');

await main();

async function main(): Promise<void> {
  if (!isPackaged()) {
    say(`Packaging ${relative(repository, packaged)} (some ten seconds) ...`);
    execFileSync(process.execPath, ['packaging/package.ts', '--executable-only', process.arch], {
      cwd: repository,
      stdio: 'inherit',
    });
  }
  say('\nAn emulated Azure, a release mirror and three VMs, below .lab:\n');
  const begun = performance.now();
  const lab = await startLab({
    dir,
    executable: [packaged],
    passwordLife,
    onLog: (node, line) => {
      const told = tell(node, join(dir, node), line, (performance.now() - begun) / 1000);
      if (told !== undefined) {
        say(told);
      }
    },
  });
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  try {
    await Promise.race([tour(lab, begun), interrupted]);
  } catch (thrown) {
    say(`\nThe lab failed: ${thrown instanceof Error ? thrown.message : thrown}`);
    process.exitCode = 1;
  } finally {
    await lab.stop();
  }
  process.exit();
}

async function tour(lab: Lab, begun: number): Promise<void> {
  lab.start();
  await lab.waitReady();
  say(`\nThree nodes are Ready after ${((performance.now() - begun) / 1000).toFixed(1)} s.\n`);
  for (const node of lab.nodes) {
    say(await shown(node));
  }
  say(
    `Rotations: the registry credentials live ${passwordLife / 1000} s here, and are renewed with a third of that left.`,
  );
  say('K3s is not restarted, because kubelet requests a login from Slipway at each pull.\n');
  await showRotations(lab, 2, say);
  say(whereToLook(lab));
  if (!options.keep) {
    return;
  }
  await serveControls(lab, dir);
  say('\nEverything keeps running until Ctrl-C. To break it, follow docs/usage/walkthrough.md.');
  await new Promise(() => {});
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
