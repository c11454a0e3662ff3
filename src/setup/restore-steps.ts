import type { HostReader } from '../agent/engine/host.ts';
import type { Resource } from '../agent/engine/resource.ts';
import {
  datastoreReplaced,
  k3sBack,
  type OtherServers,
  type RestorableCopy,
  type Restore,
} from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { daemonStopped } from './uninstall-steps.ts';

/** The steps of a restore, in order; each list is applied until it changes nothing. */
export interface RestoreSteps {
  readonly stop: Resource;
  readonly down: readonly Resource[];
  readonly up: readonly Resource[];
}

/** Returns the steps that replace the datastore with a copy. */
export function restoreSteps(
  paths: NodePaths,
  copy: RestorableCopy,
  restore: Restore,
  servers: OtherServers,
): RestoreSteps {
  return {
    stop: daemonStopped(paths, false),
    down: datastoreReplaced(paths, restore, copy, servers),
    up: [k3sBack(restore)],
  };
}

/** Returns the plan of a restore for people: the copy, the steps, and what the restore means for the cluster. */
export function restorePlan(
  host: Pick<HostReader, 'now'>,
  copy: RestorableCopy,
  { stop, down, up }: RestoreSteps,
): readonly string[] {
  const { path, madeAt, reason, isMove, k3s, installed, isKept, ca, objects, revision, bytes, isRead } = copy;
  const steps = [stop, ...down, ...up].map(({ summary }) => `  ${summary}`);
  const newer =
    isKept || installed === k3s ? [] : [`  K3s ${installed} reads the copy, and upgrades its objects again.`];
  return [
    `The copy ${path}`,
    `  was made at ${madeAt} (${ageOf(host.now() - Date.parse(madeAt))} ago), ${madeFor(reason)}`,
    `  by K3s ${k3s}, of the cluster with the CA ${ca.slice(0, 12)}`,
    `  ${objects} rows up to revision ${revision}, ${Math.ceil(bytes / 1024 ** 2)} MB; ${isRead ? 'SQLite finds no fault in it' : 'a restore fetches it from the store first, and verifies it'}`,
    'The restore will:',
    ...steps,
    '  wait until the Kubernetes API is ready, and start slipway.service again',
    'What it means:',
    '  The cluster forgets everything since the copy: objects that were created, changed or deleted. Pods that started',
    '  since then are ended. The data in volumes stays as it is. The API is away for about a minute.',
    ...newer,
    ...(isMove ? moving : []),
  ];
}

const moving = [
  '  The present cluster of this machine ends: the cluster of the copy takes its place, with its CA and its nodes. Agents',
  '  of that cluster join again if they reach this machine at the address that they know.',
];

/** Returns why a copy was made: before a change, or for a backup. */
function madeFor(reason: string): string {
  return reason.startsWith('by ') ? `as a backup ${reason}` : `before: ${reason}`;
}

/** Returns a duration in milliseconds as `5 minutes`, `3 hours` or `2 days`. */
function ageOf(duration: number): string {
  const minutes = Math.max(0, Math.round(duration / 60_000));
  const [count, unit] =
    minutes < 120
      ? [minutes, 'minutes']
      : minutes < 2_880
        ? [Math.round(minutes / 60), 'hours']
        : [Math.round(minutes / 1_440), 'days'];
  return `${count} ${unit}`;
}
