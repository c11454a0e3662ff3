import type { HostReader } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import { isOnlyServer, type K3sNode } from '../../../node.ts';
import { activeStart } from '../datastore/active-start.ts';
import { clusterAccepts } from '../membership/cluster-token.ts';
import {
  endRotation,
  isOpen,
  type OpenRotation,
  type RotationRecord,
  rotationTokens,
  writeRotation,
} from '../membership/rotation-record.ts';
import type { ActingName } from '../upgrade/channel/acting-release.ts';
import { followToken } from './followed-token.ts';
import type { RotationNotice } from './notice.ts';
import { otherActs, rotationStep } from './rotation-step.ts';
import { type Passwords, rotationFailed, storeToken } from './store-token.ts';

export interface BegunPorts {
  readonly notice: RotationNotice;
  /** Returns the name of the server that acts for the cluster; `undefined` if no server does now. */
  readonly acting: ActingName;
}

/**
 * Returns the next step of a rotation that can only end with the new token. With several servers, a server that does
 * not act takes no notice from the one that does: otherwise both would take it in turn, and both would send requests.
 */
export async function begunRotation(
  host: HostReader,
  node: K3sNode,
  record: RotationRecord,
  { notice, acting }: BegunPorts,
): Promise<Finding> {
  const { from, to } = isOpen(record) ? rotationTokens(record) : {};
  if (!isOpen(record) || from === undefined || to === undefined) {
    throw rotationFailed('The record of the rotation of the join token has lost its tokens.');
  }
  if (isOnlyServer(node)) {
    return store(node, record, { from, to }, notice);
  }
  const shown = await notice.read(host, node);
  if ((shown?.isStored && shown.to === record.to) || (await clusterAccepts(host, node, to))) {
    return rotationStep(
      record.from,
      record.to,
      'take the join token that the cluster has now',
      async (changing) => {
        await notice.store(changing, node, record);
        await followToken(changing, node, contentOf(record));
      },
    );
  }
  if (shown !== undefined && shown.node !== node.name) {
    const acts = await acting(host);
    if (acts === undefined || acts === shown.node) {
      return otherActs(acts);
    }
  }
  return (await notice.shown(host, node, record)) ?? store(node, record, { from, to }, notice);
}

function store(node: K3sNode, record: OpenRotation, passwords: Passwords, notice: RotationNotice): Finding {
  return rotationStep(record.from, record.to, 'make K3s store the new join token', async (host) => {
    const accepted = await storeToken(host, node, passwords);
    const isShared = !isOnlyServer(node);
    // The other servers take the token by this notice, before any server restarts.
    await (isShared ? notice.store(host, node, record) : undefined);
    await host.writeFile(node.paths.slipway.joinToken, contentOf(record), { mode: 0o600 });
    const invocation = await activeStart(host);
    if (accepted === 'from' && invocation !== undefined) {
      return writeRotation(host, node.paths, { ...without(record), state: 'rotated', invocation });
    }
    await (isShared ? undefined : notice.remove(host, node));
    return endRotation(host, node, record);
  });
}

function contentOf({ tokens }: OpenRotation): Secret {
  return new Secret(`${tokens.to.trim()}\n`);
}

function without({ refused: _, invocation: __, ...record }: RotationRecord): RotationRecord {
  return record;
}
