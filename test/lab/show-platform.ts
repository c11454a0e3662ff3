/**
 * Brings up a platform on this machine until every node is Ready, and shows the status of the nodes and where to look
 * further.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { control, nodeControls, serveControls } from './controls.ts';
import { isPackaged, packaged } from './executable.ts';
import type { LabNode } from './node.ts';
import type { Platform, RunningPlatform } from './platforms/platform.ts';
import { tell } from './story.ts';

export interface ShowOptions {
  /** True to keep the lab running until Ctrl-C. */
  readonly keep: boolean;
  /** The command line without --keep, which the output quotes. */
  readonly command: string;
  readonly joinedBy?: string;
}

const repository = join(import.meta.dirname, '../..');

/** The folder of the lab, which contains the root of each node. */
export const labDir = join(repository, '.lab');

/**
 * Starts the platform below `labDir`, shows it, and ends the process: with 1 if a lab already runs there or this lab
 * fails (for example, because a node is not Ready in time), otherwise with 0.
 *
 * Needs no root rights, no systemd and no network, and writes only below .lab, dist and the folder for temporary files.
 */
export async function showPlatform(platform: Platform, options: ShowOptions): Promise<never> {
  if (await isKept()) {
    say('A lab runs in .lab already. End it with Ctrl-C first.');
    process.exit(1);
  }
  packageUnlessDone();
  say(`\n${platform.summary}, below .lab:\n`);
  const begun = performance.now();
  const running = await platform.start({
    dir: labDir,
    executable: [packaged],
    ...(options.joinedBy !== undefined && { joinedBy: options.joinedBy }),
    onLog: (node, line) => {
      const told = tell(node, join(labDir, node), line, (performance.now() - begun) / 1000);
      if (told !== undefined) {
        say(told);
      }
    },
  });
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  try {
    await Promise.race([tour(platform, running, options, begun), interrupted]);
  } catch (thrown) {
    say(`\nThe lab failed: ${thrown instanceof Error ? thrown.message : thrown}`);
    process.exitCode = 1;
  } finally {
    await running.lab.stop();
  }
  process.exit();
}

function packageUnlessDone(): void {
  if (isPackaged()) {
    return;
  }
  say(`Packaging ${relative(repository, packaged)} (some ten seconds) ...`);
  execFileSync(process.execPath, ['packaging/package.ts', '--executable-only', process.arch], {
    cwd: repository,
    stdio: 'inherit',
  });
}

/** Resolves to true if a lab that was started with --keep still answers. */
async function isKept(): Promise<boolean> {
  return control(labDir, []).then(
    () => true,
    () => false,
  );
}

async function tour(
  platform: Platform,
  { lab, controls, show, readyWithin }: RunningPlatform,
  options: ShowOptions,
  begun: number,
): Promise<void> {
  lab.start();
  await lab.waitReady(readyWithin);
  const count = ['No', 'One', 'Two', 'Three', 'Four'][lab.nodes.length] ?? lab.nodes.length;
  say(`\n${count} nodes are Ready after ${((performance.now() - begun) / 1000).toFixed(1)} s.\n`);
  for (const node of lab.nodes) {
    say(await shown(node));
  }
  await show(say);
  say(whereToLook(lab.nodes, options));
  if (!options.keep) {
    return;
  }
  await serveControls({ ...nodeControls(lab), ...controls }, labDir);
  say(`\nEverything keeps running until Ctrl-C. ${platform.next}`);
  await new Promise(() => {});
}

async function shown(node: LabNode): Promise<string> {
  const { stdout } = await node.slipway('status');
  return stdout.replaceAll(node.root, '');
}

function whereToLook(nodes: readonly LabNode[], { keep, command }: ShowOptions): string {
  const at = (path: string) => relative(process.cwd(), join(labDir, path));
  const executable = relative(process.cwd(), packaged);
  const [server = '', ...others] = nodes.map(({ name }) => name);
  return [
    `Where to look (${[server, ...others].join(', ')} each have a root below ${at('')}):`,
    `  the log of a node         ${at(`${server}/.lab/slipway.log`)}`,
    `  its conditions            ${executable} status --root ${at(server)}`,
    `  what it would change      PATH=${at(`${server}/.lab/bin`)}:$PATH ${executable} plan --root ${at(server)}${keep ? '' : `   (while it runs: ${command} --keep)`}`,
    `  the journal of K3s        ${at(`${server}/.lab/bin/journalctl`)} -u k3s`,
    `  what K3s was given        ${at(`${others[0] ?? server}/etc/rancher/k3s/`)}`,
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
