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

/** Returns the steps that replace the datastore with a copy; without one, those after it is in place. */
export function restoreSteps(
  paths: NodePaths,
  copy: RestorableCopy | undefined,
  restore: Restore,
  servers: OtherServers,
): RestoreSteps {
  return {
    stop: daemonStopped(paths, false),
    down: copy === undefined ? [] : datastoreReplaced(paths, restore, copy, servers),
    up: k3sBack(paths, restore, servers),
  };
}

/** Returns the plan for a restore whose copy is in place already. */
export function continuedPlan({ from, at, isOwn }: Restore, { stop, up }: RestoreSteps): readonly string[] {
  const placed = isOwn ? 'K3s has made a cluster of this server alone' : `The copy ${from} is in place`;
  return [
    `${placed}: the restore was begun at ${at}, and has not ended.`,
    'The restore will:',
    ...[stop, ...up].map(({ summary }) => `  ${summary}`),
    end,
  ];
}

const end = '  wait until the Kubernetes API is ready, and start slipway.service again';

/** Returns the plan of a restore for people: the copy, the steps, and what the restore means for the cluster. */
export function restorePlan(
  host: Pick<HostReader, 'now'>,
  copy: RestorableCopy,
  { stop, down, up }: RestoreSteps,
): readonly string[] {
  const { madeAt, reason, isMove, k3s, installed, isKept } = copy;
  if (copy.isOwn) {
    return ownPlan(copy, [stop, ...down, ...up]);
  }
  const first = copy.isFresh
    ? [`  install K3s ${installed}, its configuration and the join token, as the daemon does`]
    : [];
  const [stopped = '', ...steps] = [stop, ...down, ...up].map(({ summary }) => `  ${summary}`);
  const newer =
    isKept || installed === k3s ? [] : [`  K3s ${installed} reads the copy, and upgrades its objects again.`];
  return [
    `The copy ${copy.path}`,
    `  was made at ${madeAt} (${ageOf(host.now() - Date.parse(madeAt))} ago), ${madeFor(reason)}`,
    ...contentOf(copy),
    'The restore will:',
    ...[stopped, ...first, ...steps],
    end,
    'What it means:',
    '  The cluster forgets everything since the copy: objects that were created, changed or deleted. Pods that started',
    '  since then are ended. The data in volumes stays as it is. The API is away for about a minute.',
    ...(copy.datastore === 'etcd' ? [...ofEtcd, ...ofSnapshot] : []),
    ...newer,
    ...(isMove ? moving : []),
  ];
}

function contentOf(copy: RestorableCopy): readonly string[] {
  const { datastore, k3s, ca, objects, revision, bytes, isRead, isBare } = copy;
  const size = `${Math.ceil(bytes / 1024 ** 2)} MB`;
  if (isBare) {
    return [
      `  ${objects} revisions of objects up to revision ${revision}, ${size}; its digest is right, and its token is that of this server`,
      '  it has no manifest, so nothing shows its cluster and its K3s',
    ];
  }
  const judged = datastore === 'etcd' ? 'its digest is right' : 'SQLite finds no fault in it';
  const verdict = isRead ? judged : 'a restore fetches it from the store first, and verifies it';
  return [
    `  by K3s ${k3s}, of the cluster with the CA ${ca.slice(0, 12)}`,
    `  ${objects} rows up to revision ${revision}, ${size}; ${verdict}`,
  ];
}

/** Returns the plan of a server that goes on with its own etcd. */
function ownPlan({ path }: RestorableCopy, steps: readonly Resource[]): readonly string[] {
  return [
    `The etcd of this server, ${path}`,
    'The restore will:',
    ...steps.map(({ summary }) => `  ${summary}`),
    end,
    'What it means:',
    '  The cluster loses what the other servers have not sent to this one. The data in volumes stays as it is. The API is',
    '  away for about a minute.',
    ...ofEtcd,
    '  The Nodes of lost servers stay: kubectl delete node NAME',
  ];
}

/** What a restore of etcd means besides. */
const ofEtcd = [
  '  The cluster has this server alone. The other servers must not start K3s before they have moved',
  '  /var/lib/rancher/k3s/server/db aside; then they join again.',
];

const ofSnapshot = [
  '  If K3s is interrupted while it restores, it keeps what it has begun in db/etcd-old-TIME and tls-TIME.',
];

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
