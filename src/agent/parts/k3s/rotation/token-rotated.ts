import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { isOnlyServer, type K3sNode } from '../../../node.ts';
import { activeStart } from '../datastore/active-start.ts';
import { datastoreCopies } from '../datastore/copies.ts';
import { mayRotate } from '../membership/renewed-token.ts';
import { type RotationRecord, readRotation, writeRotation } from '../membership/rotation-record.ts';
import { heldUntilOwnStart } from '../service/adopted-start.ts';
import type { ActingName } from '../upgrade/channel/acting-release.ts';
import type { CopyStep } from '../upgrade/copied.ts';
import { readUpgrade } from '../upgrade/record.ts';
import { soundVersion } from '../upgrade/release.ts';
import { begunRotation } from './begun-rotation.ts';
import type { RotationNotice } from './notice.ts';
import { otherActs, rotationStep } from './rotation-step.ts';

export interface RotationPorts {
  readonly copy: CopyStep;
  readonly notice: RotationNotice;
  /** Returns the name of the server that acts for the cluster; `undefined` if no server does now. */
  readonly acting: ActingName;
}

/**
 * Rotates the join token of the cluster to the one that a person has consented to (`joinToken` records it), in steps: a
 * proven copy of SQLite or etcd; the notice in the Lease; the request to K3s, after which the rotation cannot be
 * dropped; the token file. K3s accepts the new token, and no longer the old one, once it has restarted
 * (`rotationRestart`). Agents then fetch the new token by themselves.
 *
 * Of several servers, only the one that acts for the cluster begins. A rotation that has begun, such as one of a server
 * that was away meanwhile, sends no request once the datastore belongs to the new token, and none while the Lease shows
 * the rotation of the server that acts.
 *
 * Does not begin while K3s runs from a start by another unit, which may not read Slipway's token file. A rotation that
 * has begun goes on, because the turns of all servers wait for it.
 */
export function tokenRotated(node: K3sNode, ports: RotationPorts, needs: readonly string[]): Resource {
  const resource: Resource = {
    id: 'Token/rotated',
    summary: 'rotate the join token of the cluster',
    condition: 'JoinToken',
    needs,
    async check(host) {
      const record = await readRotation(host, node.paths);
      if (record === undefined || record.state === 'done') {
        return inSync({ ...(record && (await keptVersion(host, node, record))) });
      }
      if ((await activeStart(host)) === undefined) {
        return waiting(
          'ServiceStarting',
          'the rotation of the join token waits until K3s is up',
          notBlocking,
        );
      }
      if (record.state === 'wanted') {
        return prepare(host, node, record, ports);
      }
      return record.state === 'begun'
        ? begunRotation(host, node, record, ports)
        : inSync({ message: stored });
    },
  };
  const isWanted = async (host: HostReader) => (await readRotation(host, node.paths))?.state === 'wanted';
  return heldUntilOwnStart(node, resource, isWanted);
}

const stored = 'K3s has stored the new join token, and accepts it after a restart in the turn of this node';
const notBlocking = { blocks: false, after: 5_000 } as const;

/** Returns a reminder while copies of the datastore exist that only the former token opens. */
async function keptVersion(host: HostReader, { paths }: K3sNode, { from }: RotationRecord) {
  const copies = await datastoreCopies(host, paths);
  return copies.some(({ token }) => token === from)
    ? {
        message: `keep the version ${from} of the secret in the vault: copies of the datastore were made with it`,
      }
    : {};
}

/** Returns the next step before the first request to K3s. Drops a rotation that this server may no longer make. */
async function prepare(
  host: HostReader,
  node: K3sNode,
  record: RotationRecord,
  { copy, notice, acting }: RotationPorts,
): Promise<Finding> {
  const { from, to } = record;
  if (!mayRotate(node, to)) {
    return rotationStep(from, undefined, 'drop the rotation of the join token', async (changing) => {
      await notice.remove(changing, node);
      await changing.remove(node.paths.slipway.tokenRotation);
    });
  }
  if ((await readUpgrade(host, node.paths))?.state === 'begun') {
    return waiting(
      'Upgrading',
      'the rotation of the join token waits for the end of the upgrade',
      notBlocking,
    );
  }
  const acts = isOnlyServer(node) ? node.name : await acting(host);
  if (acts !== node.name) {
    return otherActs(acts);
  }
  const shown = await notice.shown(host, node, record);
  if (shown?.state === 'Waiting') {
    // A copy would be too old by the time the rotation may begin.
    return shown;
  }
  const version = (await soundVersion(host, node.paths.k3s.binary)) ?? node.version;
  return (
    (await copy(host, node, { reason: `token ${to}`, version, always: true })) ??
    shown ??
    rotationStep(from, to, 'begin the rotation of the join token', (changing) =>
      writeRotation(changing, node.paths, { ...record, state: 'begun' }),
    )
  );
}
