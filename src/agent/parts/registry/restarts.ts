import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { Settings } from '../../settings/schema.ts';
import type { LookedAt, StartVerdict } from '../k3s/index.ts';
import { type ContainerdPull, observedPulls } from './containerd-pulls.ts';
import { refusedCredentials } from './proof/pull-record.ts';
import { loginEnds, loginEndsSince, servedSince } from './start-inputs.ts';

type OnRotate = Settings['registries']['onRotate'];

/**
 * Returns the changed inputs that do not restart K3s, according to `registries.onRotate` and the pull checks. The
 * remarks state what restarts K3s at each rotation, which old logins containerd keeps, or that Slipway does not know
 * the logins with which K3s started.
 */
export async function judgeLogins(host: HostReader, node: K3sNode, start: LookedAt): Promise<StartVerdict> {
  const { onRotate, servers } = node.settings.registries;
  const pulls = await observedPulls(host, node, start.notes && servedSince(start.notes));
  const needsLogins = pulls.length > 0;
  const isUnknown = servers.length > 0 && !start.notes;
  const isVain = await onlyRefusedChanged(host, node, start);
  return {
    spared: start.changed.filter(
      (input) => !counts(input, onRotate, needsLogins) || (input === 'registryLogins' && isVain),
    ),
    remarks: [...(isUnknown ? [unknownStart] : []), ...remarks(onRotate, pulls, start.changed)],
  };
}

function counts(input: string, onRotate: OnRotate, needsLogins: boolean): boolean {
  if (input === 'registryLogins') {
    return onRotate === 'restart' || (onRotate === 'auto' && needsLogins);
  }
  if (input === 'lastingLogins') {
    return onRotate !== 'never';
  }
  return true;
}

/**
 * True if every login that changed since the start of K3s belongs to a registry that refused a login in its last pull
 * check. K3s restarts once a pull with a new login has succeeded, not for every refused login.
 */
async function onlyRefusedChanged(
  host: HostReader,
  { paths, settings }: K3sNode,
  { notes = {} }: LookedAt,
): Promise<boolean> {
  const refused = await refusedCredentials(host, paths.slipway.pullProof);
  if (refused.size === 0) {
    return false;
  }
  const then = new Map(loginEndsSince(notes));
  const now = new Map(Object.entries(await loginEnds(host, paths)));
  const isSame = (server: string) => then.has(server) && then.get(server) === now.get(server);
  return settings.registries.servers.every((server) => refused.has(server) || isSame(server));
}

const unknownStart =
  'it is not known what this start was given, so pulls may have the login of that start until K3s is started again';

function remarks(
  onRotate: OnRotate,
  pulls: readonly ContainerdPull[],
  changed: readonly string[],
): readonly string[] {
  const said = { never: () => oldLogins(pulls, changed), auto: () => restarts(pulls), restart: () => [] };
  return said[onRotate]();
}

function restarts(pulls: readonly ContainerdPull[]): readonly string[] {
  return pulls.length > 0 ? [`restarted at each rotation, because ${reasonsOf(pulls)}`] : [];
}

function oldLogins(pulls: readonly ContainerdPull[], changed: readonly string[]): readonly string[] {
  const old = [
    pulls.length > 0 &&
      `containerd keeps the registry logins of its start for pulls that get none from kubelet: ${reasonsOf(pulls)}`,
    changed.includes('lastingLogins') &&
      'a login that only containerd has was changed, and it keeps the old one until the next start of K3s',
  ].filter((text) => text !== false);
  return old.length > 0 ? [...old, 'set registries.onRotate to auto, and K3s is restarted for that'] : [];
}

function reasonsOf(pulls: readonly ContainerdPull[]): string {
  return pulls.map(({ why }) => why).join(', and ');
}
