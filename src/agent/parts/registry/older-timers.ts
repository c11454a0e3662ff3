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
 * The timers by which a node made with older cloud-init scripts renews registries.yaml are stopped, once Slipway's own
 * `logins`, and the K3s that uses them, are there: a node whose identity may not pull yet lives by the old ones. Their
 * files stay, so that `systemctl enable --now` brings them back where Slipway goes. A service of such a name that runs
 * anything else is left alone.
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
  const untilThen = `${timer} runs on until K3s was started again, since its kubelet does not ask Slipway yet`;
  // In any folder, by itself or given to a shell, as systemctl shows `ExecStart` (its argv).
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
    if (!script.test(ExecStart)) return inSync();
    return (await foreignStart(host, node)) === undefined ? undefined : inSync({ message: untilThen });
  });
  return heldBack(ofOurs, (host) => missing(host, timer, logins));
}

/** Looked at here too: on a node that has joined, dependants do not wait for a login that cannot be had. */
async function missing(
  host: HostReader,
  timer: string,
  logins: readonly Resource[],
): Promise<Finding | undefined> {
  for (const login of logins) {
    if ((await login.check(host)).state !== 'InSync')
      return waiting('Blocked', `${timer} runs on until ${login.id} is there`, {
        after: minute,
        blocks: false,
      });
  }
  return undefined;
}
