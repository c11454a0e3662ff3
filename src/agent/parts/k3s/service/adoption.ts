import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';
import { unitsStopped } from '../../../resources/units-stopped.ts';
import { foreignStart } from './adopted-start.ts';

const timer = 'refresh-acr-credentials.timer';
const service = 'refresh-acr-credentials.service';

const untilThen = `${timer} runs on until K3s was started again, since its kubelet does not ask Slipway yet`;

const minute = 60_000;

/** In any folder, by itself or given to a shell, as systemctl shows `ExecStart` (its argv). */
const script = /\/refresh-acr-credentials(?:\.sh)?(?=[\s;]|$)/;

/**
 * The timer by which a node made with the older cloud-init scripts renews registries.yaml is stopped, once Slipway's own
 * `logins`, and the K3s that uses them, are there: a node whose identity may not pull yet lives by the old ones. Its files stay, so that
 * `systemctl enable --now` brings it back where Slipway goes. A service of that name that runs anything else is left
 * alone.
 */
export function acrRefreshStopped(node: K3sNode, logins: readonly Resource[]): Resource {
  const stopped = unitsStopped({
    id: 'Adoption/refresh-acr-credentials',
    summary: `stop ${timer}: Slipway renews registries.yaml on this node`,
    condition: 'Registries',
    needs: logins.map(({ id }) => id),
    units: [timer, service],
    root: node.paths.root,
    forGood: true,
  });
  return {
    ...stopped,
    async check(host) {
      const { ExecStart } = await showUnit(host, service, ['ExecStart']);
      if (!script.test(ExecStart)) return inSync();
      if ((await foreignStart(host, node)) !== undefined) return inSync({ message: untilThen });
      const finding = await stopped.check(host);
      return finding.state === 'Drifted' ? ((await missing(host, logins)) ?? finding) : finding;
    },
  };
}

/** Looked at here too: on a node that has joined, a login that cannot be had blocks nobody. */
async function missing(host: HostReader, logins: readonly Resource[]): Promise<Finding | undefined> {
  for (const { id, check } of logins) {
    if ((await check(host)).state !== 'InSync')
      return waiting('Blocked', `${timer} runs on until ${id} is there`, { after: minute, blocks: false });
  }
  return undefined;
}
