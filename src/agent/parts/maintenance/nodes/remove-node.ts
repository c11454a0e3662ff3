import { shortDigest } from '../../../engine/digest.ts';
import type { Host } from '../../../engine/host.ts';
import { deleteObject } from '../../../kubernetes/api.ts';
import type { ApiAccess } from '../../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../../kubernetes/object-path.ts';
import { isBegun } from '../turn/annotations.ts';
import type { Fleet } from '../turn/fleet.ts';
import type { FleetNode } from '../turn/fleet-node.ts';

/**
 * Returns why a Node has to stay, as the rest of a sentence that begins with its name; `undefined` if it may be
 * removed. A server's Node always stays: with etcd, the cluster would lose a member. The Node of a running kubelet
 * stays even if it is not Ready, because kubelet would not create it again. A Node in its turn stays until the turn
 * ends.
 */
export function keptBecause(node: FleetNode, { ledger }: Pick<Fleet, 'ledger'>): string | undefined {
  if (node.isServer) {
    return 'is a server';
  }
  if (node.ready === 'True') {
    return 'is Ready';
  }
  if (node.ready === 'False') {
    return 'is running, although not Ready';
  }
  return isBegun(node) || ledger.slots.some((slot) => slot.node === node.name)
    ? `is in its turn, which slipway turn release ${node.name} ends`
    : undefined;
}

/**
 * Deletes a Node that has not changed since it was read, and the password with which K3s recognises its VM. Throws
 * `ApiConflict` if the Node has changed, and the other errors of `deleteObject`.
 *
 * K3s deletes the password of a deleted Node itself, but up to ten minutes later (k3s, pkg/nodepassword). Once the
 * password is gone, a new VM with this name can join.
 */
export async function removeNode(
  host: Host,
  access: ApiAccess,
  { name, uid, resourceVersion }: FleetNode,
): Promise<void> {
  const path = objectPath({ apiVersion: 'v1', resource: 'nodes', name });
  await deleteObject(host, access, path, { uid, resourceVersion });
  const secret = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system' };
  await deleteObject(host, access, objectPath({ ...secret, name: `${name}.node-password.k3s` }));
}

/** Returns how people name a node and its VM, such as `vm-agent (VM 1234-abcd)`. */
export function nodeAndVm({ name, vmId }: FleetNode): string {
  return vmId === undefined ? name : `${name} (VM ${vmId})`;
}

/** Returns how a consent names a node: with its VM, if the Node shows it, so that the consent ends with the VM. */
export function consentSubject({ name, vmId }: FleetNode): string {
  return vmId === undefined ? name : `${name}@${shortDigest(vmId)}`;
}
