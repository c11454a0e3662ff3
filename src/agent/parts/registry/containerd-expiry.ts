import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import { readStamp } from '../k3s/index.ts';
import { type ContainerdPull, observedPulls } from './containerd-pulls.ts';
import { loginEndsSince, servedSince } from './start-inputs.ts';

/**
 * The time before the expiry of a login at which a person is asked to act, and the time between two checks of an
 * expired login, in milliseconds.
 */
const notice = 3_600_000;

/**
 * Reports `ContainerdLoginEnds` once a login that containerd got at the start of K3s and uses for its own pulls has
 * expired. If registries.onRotate is `never`, reports it an hour before the expiry, since no new login then restarts
 * K3s. Blocks nothing, since kubelet gets its logins from Slipway.
 *
 * Returns no resource if the settings name no login server. Reports nothing if K3s is not running or its start has no
 * stamp.
 */
export function containerdLogins(node: K3sNode): readonly Resource[] {
  if (node.settings.registries.servers.length === 0) {
    return [];
  }
  return [
    {
      id: 'ContainerdLogins/k3s',
      summary: "watch the ends of containerd's own logins",
      condition: 'Pulls',
      check: (host) => check(host, node),
    },
  ];
}

interface Ending {
  readonly server: string;
  /** When the login expires, in epoch milliseconds. */
  readonly end: number;
  readonly pulls: readonly ContainerdPull[];
}

async function check(host: HostReader, node: K3sNode): Promise<Finding> {
  const first = await firstEnding(host, node);
  if (!first) {
    return inSync();
  }
  const now = host.now();
  const isLeftAlone = node.settings.registries.onRotate === 'never';
  const from = isLeftAlone ? first.end - notice : first.end;
  if (now < from) {
    return inSync({ until: from });
  }
  const message = told(first, now, unitName(node.role.k3s), isLeftAlone);
  const after = now < first.end ? first.end - now : notice;
  return waiting('ContainerdLoginEnds', message, { ...advisory, after });
}

async function firstEnding(host: HostReader, node: K3sNode): Promise<Ending | undefined> {
  const { InvocationID } = await showUnit(host, unitName(node.role.k3s), ['InvocationID']);
  const stamp = InvocationID === '' ? undefined : await readStamp(host, node.paths, InvocationID);
  const pulls = await observedPulls(host, node, stamp && servedSince(stamp.notes));
  const [first] = (stamp ? loginEndsSince(stamp.notes) : [])
    .map(([server, end]) => ({ server, end, pulls: pulls.filter(({ servers }) => servers.includes(server)) }))
    .filter((each) => each.pulls.length > 0)
    .sort((a, b) => a.end - b.end);
  return first;
}

function told({ server, end, pulls }: Ending, now: number, unit: string, isLeftAlone: boolean): string {
  const why = pulls.map((pull) => pull.why).join(', and ');
  const [ends, fail] = now < end ? ['ends', 'will fail from then on'] : ['ended', 'fail since'];
  const repair = isLeftAlone
    ? `Run systemctl restart ${unit}, or set registries.onRotate to auto, and K3s is restarted for each new one.`
    : 'K3s is restarted when there is a newer one; the condition Registries says why there is not.';
  return `The login for ${server} that containerd has since K3s started ${ends} at ${new Date(end).toISOString()}, and pulls that need it ${fail} (${why}). ${repair}`;
}
