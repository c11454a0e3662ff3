import type { Host, HostReader } from '../../../engine/host.ts';
import {
  type Change,
  type Drift,
  type Finding,
  inSync,
  type Resource,
  waiting,
} from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { datastoreKind } from '../datastore/datastore-kind.ts';
import { isReversible } from './allowed.ts';
import { type CopyStep, copyFor } from './copied.ts';
import { type DueUpgrade, dueUpgrade, inSyncOrLater, isUnfinished } from './due.ts';
import { readUpgrade, type UpgradeRecord, writeUpgrade } from './record.ts';
import { soundVersion } from './release.ts';

/**
 * Judges the start of a new release: `up` if K3s runs, `starting` if nothing is known yet or the cause of a failure is
 * not the release, and otherwise why the release does not come up.
 */
export type ReleaseVerdict = (
  host: HostReader,
  node: K3sNode,
  record: UpgradeRecord,
) => Promise<'up' | 'starting' | { readonly why: string }>;

/**
 * Replaces the executable once the upgrade has begun and the datastore is copied, and keeps the previous executable.
 * K3s is then restarted, because the release is an input of its start. If the release does not come up, puts the
 * previous executable back if the node can return to its release; otherwise gives up.
 */
export function releaseReplaced(
  node: K3sNode,
  { copy, verdict }: { readonly copy: CopyStep | undefined; readonly verdict: ReleaseVerdict },
  needs: readonly string[],
): Resource {
  return {
    id: 'Upgrade/replaced',
    summary: `replace the executable of K3s by ${node.version}, and restart K3s`,
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const record = await readUpgrade(host, node.paths);
      if (record === undefined || record.state === 'done') {
        return inSyncOrLater(host, node);
      }
      const installed = await soundVersion(host, node.paths.k3s.binary);
      if (isUnfinished(record, installed)) {
        return judge(host, node, record, verdict);
      }
      if (record.state === 'rolledBack' && installed === record.wanted) {
        return goBack(host, node, record);
      }
      const due = await dueUpgrade(host, node);
      if (!due?.isBegun || (await copyFor(host, node, due, copy))) {
        return inSyncOrLater(host, node);
      }
      return replace(host, node, due);
    },
  };
}

async function replace(host: HostReader, { paths }: K3sNode, { from, to }: DueUpgrade): Promise<Finding> {
  const { binary, next, previous } = paths.k3s;
  if ((await soundVersion(host, previous)) !== from) {
    const change = { field: previous, observed: undefined, desired: from };
    // A hard link keeps the file under its new name while its old name gets another file.
    const keep = { file: 'ln', args: ['--force', '--no-dereference', binary, previous] };
    return drift(change, `keep K3s ${from}`, async (host) => void (await host.run(keep)), true);
  }
  const change = { field: 'version', observed: from, desired: to };
  const label = await labelOf(host, paths);
  return drift(change, `replace K3s ${from} by ${to}`, async (host) => {
    if (label) {
      await host.run(label);
    }
    await host.rename(next, binary);
  });
}

/** Returns the command that gives the next executable the SELinux label of the present one, if SELinux is on. */
async function labelOf(host: HostReader, { system, k3s }: K3sNode['paths']) {
  return (await host.stat(system.selinux))
    ? { file: 'chcon', args: [`--reference=${k3s.binary}`, k3s.next] }
    : undefined;
}

async function judge(
  host: HostReader,
  node: K3sNode,
  record: UpgradeRecord,
  verdict: ReleaseVerdict,
): Promise<Finding> {
  const found = await verdict(host, node, record);
  if (found === 'up') {
    return inSync();
  }
  const { wanted, from } = record;
  if (found === 'starting') {
    return waiting('Upgrading', `K3s ${wanted} is starting`, { after: lookAgain, blocks: false });
  }
  const canGoBack = isReversible(node, from, wanted) && !(await hasOwnVersion(host, node));
  const hasKept = canGoBack && (await soundVersion(host, node.paths.k3s.previous)) === from;
  const [state, did] = hasKept
    ? (['rolledBack', `give up K3s ${wanted}, and go back to ${from}`] as const)
    : (['gaveUp', `give up K3s ${wanted}`] as const);
  const change = { field: 'upgrade', observed: record.state, desired: state };
  const remedy = (host: Host) => writeUpgrade(host, node.paths, { ...record, state, why: found.why });
  return drift(change, did, remedy, true);
}

/** Milliseconds between two looks at a starting release: systemd waits five seconds before it starts K3s again. */
const lookAgain = 2_000;

/** True if the datastore is etcd, whose own version a release may have raised, even within a minor version of K3s. */
async function hasOwnVersion(host: HostReader, { role, paths }: K3sNode): Promise<boolean> {
  return isServer({ role }) && (await datastoreKind(host, paths)) === 'etcd';
}

async function goBack(
  host: HostReader,
  { paths }: K3sNode,
  { from, wanted }: UpgradeRecord,
): Promise<Finding> {
  const { binary, previous } = paths.k3s;
  if ((await soundVersion(host, previous)) !== from) {
    return inSync();
  }
  const change = { field: 'version', observed: wanted, desired: from };
  return drift(change, `put K3s ${from} back in place of ${wanted}`, (host) => host.rename(previous, binary));
}

/** Returns a drift that does not block, since Slipway must still watch K3s if the remedy fails. */
function drift(change: Change, summary: string, remedy: Drift['remedy'], partial = false): Finding {
  return { state: 'Drifted', drift: { changes: [change], summary, partial, blocks: false, remedy } };
}
