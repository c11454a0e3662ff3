/** Runs `slipway restore` on a stand-in of K3s, in place of whose systemd this file starts and stops it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command, CommandResult, Host } from '../../src/agent/engine/host.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { judgeCopy, judgeOwnEtcd, type RestorableCopy, restoreOf } from '../../src/agent/parts/k3s/index.ts';
import { type NodePaths, nodePaths } from '../../src/agent/paths.ts';
import { replaceDatastore } from '../../src/setup/restore.ts';
import { restoreSteps } from '../../src/setup/restore-steps.ts';
import type { StartedServer } from './a-cluster.ts';

export interface RestoredServer {
  readonly host: Host;
  readonly paths: NodePaths;
  /** Restores the copy at a path, and resolves to what was printed. Throws if the restore has not ended. */
  restore(from: string): Promise<string>;
  /** Lets the server go on with its own etcd, and resolves as `restore` does. */
  goOn(): Promise<string>;
}

/** Returns a server with the files that the daemon gives it, whose K3s systemctl starts and stops. */
export function restoredServer(server: StartedServer): RestoredServer {
  const paths = nodePaths(server.root);
  const unit = join(paths.system.units, 'k3s.service');
  for (const [path, text] of [
    [unit, '# Written by Slipway\n'],
    [paths.slipway.joinToken, 'secret\n'],
  ] as const) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o600 });
  }
  const real = nodeHost({ root: server.root });
  const state = { isEnabled: true };
  const systemctl = async ({ args: [command, ...rest] }: Command): Promise<CommandResult> => {
    if (command === 'disable') {
      state.isEnabled = false;
      await server.stop();
    } else if (command === 'enable') {
      state.isEnabled = true;
    } else if (command === 'start') {
      server.start();
    }
    const isUp =
      server.child !== undefined && server.child.exitCode === null && server.child.signalCode === null;
    const isReady = isUp && server.log().includes('k3s is up and running');
    const shown = [
      `FragmentPath=${unit}`,
      `ActiveState=${isReady ? 'active' : isUp ? 'activating' : 'inactive'}`,
      `UnitFileState=${state.isEnabled ? 'enabled' : 'disabled'}`,
      'NRestarts=0',
    ];
    return { exitCode: 0, stdout: rest.includes('k3s.service') ? `${shown.join('\n')}\n` : '', stderr: '' };
  };
  const host: Host = {
    ...real,
    query: (command) => (command.file === 'systemctl' ? systemctl(command) : real.query(command)),
    run: (command, signal) => (command.file === 'systemctl' ? systemctl(command) : real.run(command, signal)),
  };
  return {
    host,
    paths,
    restore: async (from) => replaced(await judgeCopy(host, paths, from)),
    goOn: async () => replaced(await judgeOwnEtcd(host, paths)),
  };

  async function replaced(copy: RestorableCopy): Promise<string> {
    const begun = await restoreOf(host, paths, copy);
    const steps = restoreSteps(paths, copy, begun, { peers: [], registration: [], members: [], own: [] });
    const said: string[] = [];
    const tell = { out: (line: string) => said.push(line), error: (line: string) => said.push(line) };
    const { signal } = new AbortController();
    if (!(await replaceDatastore(host, paths, steps, begun, { tell, interrupted: signal }))) {
      throw new Error(`${said.join('\n')}\n${server.log().slice(-3_000)}`);
    }
    return said.join('\n');
  }
}
