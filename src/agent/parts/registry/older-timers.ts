import { type Clouds, clouds } from '../../clouds/index.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import type { K3sNode } from '../../node.ts';
import { heldBack, unless } from '../../resources/combinators.ts';
import { showUnit } from '../../resources/unit.ts';
import { unitsStopped } from '../../resources/units-stopped.ts';
import { foreignStart } from '../k3s/index.ts';

const minute = 60_000;

/**
 * Stops and disables the timers, with their services, through which older cloud-init scripts renew registries.yaml.
 * Until all `logins` are in sync, the timers keep running, since the identity of the node may not be allowed to pull
 * yet. They also keep running until Slipway has started K3s, since a kubelet that was started before does not ask
 * Slipway. The files of the timers stay, so that `systemctl enable --now` starts them again without Slipway. Leaves a
 * timer alone if its service runs anything but the script.
 */
export function loginRenewersStopped(
  node: K3sNode,
  logins: readonly Resource[],
  table: Clouds = clouds,
): readonly Resource[] {
  const names = Object.values(table).flatMap(({ loginRenewers = [] }) => loginRenewers);
  return names.map((name) => renewerStopped(name, node, logins));
}

function renewerStopped(name: string, node: K3sNode, logins: readonly Resource[]): Resource {
  const [timer, service] = [`${name}.timer`, `${name}.service`];
  const untilThen = `${timer} runs on until K3s is started again, since its kubelet does not ask Slipway yet`;
  // Matches the script in any folder, run directly or by a shell: systemctl shows the argv of `ExecStart`.
  const script = new RegExp(`/${name}(?:\\.sh)?(?=[\\s;]|$)`);
  const stopped = unitsStopped({
    id: `Adoption/${name}`,
    summary: `stop ${timer}: Slipway renews registries.yaml on this node`,
    condition: 'Registries',
    needs: logins.map(({ id }) => id),
    units: [timer, service],
    root: node.paths.root,
    forGood: true,
  });
  const ofOurs = unless(stopped, async (host) => {
    const { ExecStart } = await showUnit(host, service, ['ExecStart']);
    if (!script.test(ExecStart)) {
      return inSync();
    }
    return (await foreignStart(host, node)) === undefined ? undefined : inSync({ message: untilThen });
  });
  return heldBack(ofOurs, (host) => missing(host, timer, logins));
}

/**
 * Returns a waiting finding while one of the logins is not in sync, otherwise `undefined`. Checks the logins itself,
 * since a failed login does not block its dependants on a node that has joined.
 */
async function missing(
  host: HostReader,
  timer: string,
  logins: readonly Resource[],
): Promise<Finding | undefined> {
  for (const login of logins) {
    if ((await login.check(host)).state !== 'InSync') {
      return waiting('Blocked', `${timer} runs on until ${login.id} is in sync`, {
        after: minute,
        blocks: false,
      });
    }
  }
  return undefined;
}
