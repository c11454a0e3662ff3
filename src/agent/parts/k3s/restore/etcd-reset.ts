import { join } from 'node:path';
import { failedOutput } from '../../../engine/command-output.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Command, Host, HostReader } from '../../../engine/host.ts';
import { compare, type Resource } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { NodePaths } from '../../../paths.ts';
import { mergedFlags } from '../flags/flags.ts';
import { presentFlags } from '../flags/start-flags.ts';
import { lastWords } from '../service/journal/find-cause.ts';
import { noteRestore, type Restore, restoreCommand, restoreUnderWay } from './restore-state.ts';
import { wayBack } from './way-back.ts';

/** The longest reset in milliseconds: K3s reads the whole snapshot, and writes it anew. */
export const longestReset = 15 * 60_000;

/** The unit in which K3s runs during the reset. It has a fixed name, so systemd starts no second one beside it. */
const scope = 'slipway-restore.scope';
const inScope = ['--scope', '--quiet', '--collect', `--unit=${scope}`];

/** Returns the unit of a reset, which a killed `slipway restore` may have left running; none below another root. */
export function resetUnits({ root }: NodePaths): readonly string[] {
  return root === '/' ? [scope] : [];
}

/** The words with which K3s ends after a reset (pkg/etcd/etcd.go, Reset). */
const hasBeenReset = 'Managed etcd cluster membership has been reset';

/**
 * Lets K3s make a cluster of this server alone from the snapshot, and notes that this is done, so that it never happens
 * twice. K3s ends by itself; its words and its flag file show whether it succeeded, because its exit code does not.
 * After a crash in the middle, K3s begins anew, which it allows with a snapshot; with its own etcd, it refuses while
 * its flag file exists.
 */
export function etcdReset(paths: NodePaths, restore: Restore, needs: readonly string[]): Resource {
  return {
    id: 'Restore/reset',
    summary: `let K3s ${restore.isOwn ? 'go on with' : 'restore'} ${restore.from} as a cluster of this server alone: k3s server --cluster-reset`,
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const isReset = (await restoreUnderWay(host, paths))?.isReset === true;
      return compare({ restored: isReset }, { restored: true }, async (changing) => {
        await reset(changing, paths, restore);
        await noteRestore(changing, paths, { ...restore, isReset: true });
      });
    },
  };
}

async function reset(host: Host, paths: NodePaths, restore: Restore): Promise<void> {
  const flag = join(paths.k3s.datastore, 'reset-flag');
  if ((await host.stat(flag)) !== undefined) {
    await host.remove(flag);
  }
  const output = await host.run(await resetCommand(host, paths, restore)).then(
    ({ stdout, stderr }) => stdout + stderr,
    (thrown: unknown) => failedOutput(thrown) ?? rethrow(thrown),
  );
  const isFlagged = (await host.stat(flag)) !== undefined;
  if (isFlagged && output.includes(hasBeenReset)) {
    return;
  }
  throw new NodeError(
    'RestoreFailed',
    `K3s did not restore ${restore.from}. Its last words: "${lastWords(output) ?? ''}". To try again: ` +
      `${restoreCommand(restore)}. To go back to what was there before: ${await wayBack(host, paths, restore)}.`,
    forPerson,
  );
}

function rethrow(thrown: unknown): never {
  throw thrown;
}

/**
 * Returns the command of the reset. The token stays in the file that config.yaml names. On this machine, systemd knows
 * the process by a fixed name, so that a second run can end what a killed one has left.
 */
async function resetCommand(host: HostReader, paths: NodePaths, { from, isOwn }: Restore): Promise<Command> {
  const { root, k3s } = paths;
  const flags = mergedFlags(await presentFlags(host, { kind: 'server', paths }));
  const given = (name: string) => !['', 'false'].includes(flags.get(name)?.at(-1) ?? '');
  const args = [
    'server',
    ...(root === '/' ? [] : ['--config', k3s.config]),
    '--cluster-reset',
    ...(isOwn ? [] : [`--cluster-reset-restore-path=${from}`]),
    // Otherwise K3s would look for the snapshot in the bucket.
    ...(given('etcd-s3') ? ['--etcd-s3=false'] : []),
    // Otherwise the words of K3s would go to its log file alone.
    ...(given('log') ? ['--alsologtostderr'] : []),
  ];
  return root === '/'
    ? { file: 'systemd-run', args: [...inScope, k3s.binary, ...args], timeout: longestReset }
    : { file: k3s.binary, args, timeout: longestReset };
}
