import { nameOfActing } from './acting.ts';
import type { Host } from './engine/host.ts';
import type { K3sNode } from './node.ts';
import { type BackupStatus, backupStatus } from './parts/backup/index.ts';
import {
  type CertificateStatus,
  type CopiesStatus,
  certificateStatus,
  copyStatus,
} from './parts/k3s/index.ts';
import { type CredentialStatus, registryCredentials } from './parts/registry/index.ts';
import type { PlanPorts } from './plan.ts';

/** What the reports of a pass show of a node, besides its conditions. */
export interface NodeFacts {
  /** The registry credentials; empty until the node's configuration is known, or if the credentials cannot be read. */
  readonly credentials: readonly CredentialStatus[];
  /**
   * The certificates of K3s; empty until the node's configuration is known and K3s has started once, or if the
   * certificates cannot be read.
   */
  readonly certificates: readonly CertificateStatus[];
  /**
   * The copies of the datastore; absent until the node's configuration is known, on a node that makes
   * no copies, or if the copies cannot be read.
   */
  readonly copies?: CopiesStatus | undefined;
  /** The backups; absent until the node's configuration is known, on a node that makes none, or if they are unknown. */
  readonly backup?: BackupStatus | undefined;
}

/** Reads what the reports show of a node. An error leaves a fact out, because a separate condition reports it. */
export async function nodeFacts(
  host: Host,
  node: K3sNode | undefined,
  ports: PlanPorts | undefined,
): Promise<NodeFacts> {
  if (node === undefined) {
    return { credentials: [], certificates: [] };
  }
  return {
    credentials: ports ? await registryCredentials(host, node, ports).catch(() => []) : [],
    certificates: await certificateStatus(host, node).catch(() => []),
    copies: await copyStatus(host, node).catch(() => undefined),
    backup: ports && (await backups(host, node, ports).catch(() => undefined)),
  };
}

/** Returns the backups of a node, unless another server makes them: what a former one remembers would look overdue. */
async function backups(
  host: Host,
  node: K3sNode,
  { backups, acting }: PlanPorts,
): Promise<BackupStatus | undefined> {
  const found = backups && (await backupStatus(host, node, backups));
  const by = found && (await nameOfActing(host, node, acting).catch(() => undefined));
  return by === undefined || by === node.name ? found : undefined;
}
