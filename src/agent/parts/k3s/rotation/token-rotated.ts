import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import { activeStart } from '../datastore/active-start.ts';
import { datastoreCopies } from '../datastore/copies.ts';
import { mayRotate } from '../membership/renewed-token.ts';
import {
  endRotation,
  isOpen,
  type RotationRecord,
  readRotation,
  rotationTokens,
  writeRotation,
} from '../membership/rotation-record.ts';
import { heldUntilOwnStart } from '../service/adopted-start.ts';
import type { CopyStep } from '../upgrade/copied.ts';
import { readUpgrade } from '../upgrade/record.ts';
import { soundVersion } from '../upgrade/release.ts';
import type { RotationNotice } from './notice.ts';
import { rotationFailed, storeToken } from './store-token.ts';

export interface RotationPorts {
  readonly copy: CopyStep;
  readonly notice: RotationNotice;
}

/**
 * Rotates the join token of an only server to the one that a person has consented to (`joinToken` records it), in
 * steps: a proven copy of the datastore; the request to K3s, after which the rotation cannot be dropped; the token
 * file. K3s accepts the new token, and no longer the old one, once it has restarted (`rotationRestart`). Agents then
 * fetch the new token by themselves.
 *
 * Waits while K3s runs from a start by another unit, which may not read Slipway's token file.
 */
export function tokenRotated(node: K3sNode, ports: RotationPorts, needs: readonly string[]): Resource {
  return heldUntilOwnStart(node, {
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
      return record.state === 'begun' ? store(node, record, ports) : inSync({ message: stored });
    },
  });
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
  { copy, notice }: RotationPorts,
): Promise<Finding> {
  const { from, to } = record;
  if (!mayRotate(node, to)) {
    return step(from, undefined, 'drop the rotation of the join token', async (changing) => {
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
  const version = (await soundVersion(host, node.paths.k3s.binary)) ?? node.version;
  const copied = await copy(host, node, { reason: `token ${to}`, version });
  return (
    copied ??
    (await notice.shown(host, node, record)) ??
    step(from, to, 'begin the rotation of the join token', (changing) =>
      writeRotation(changing, node.paths, { ...record, state: 'begun' }),
    )
  );
}

function store(node: K3sNode, record: RotationRecord, { notice }: RotationPorts): Finding {
  const { from, to } = isOpen(record) ? rotationTokens(record) : {};
  if (!isOpen(record) || from === undefined || to === undefined) {
    throw rotationFailed('The record of the rotation of the join token has lost its tokens.');
  }
  return step(record.from, record.to, 'make K3s store the new join token', async (host) => {
    const accepted = await storeToken(host, node, { from, to });
    await host.writeFile(node.paths.slipway.joinToken, new Secret(`${record.tokens.to.trim()}\n`), {
      mode: 0o600,
    });
    const invocation = await activeStart(host);
    await (accepted === 'to' || invocation === undefined
      ? notice.remove(host, node).then(() => endRotation(host, node, record))
      : writeRotation(host, node.paths, { ...without(record), state: 'rotated', invocation }));
  });
}

function without({ refused: _, invocation: __, ...record }: RotationRecord): RotationRecord {
  return record;
}

function step(
  observed: string,
  desired: string | undefined,
  summary: string,
  remedy: (host: Host) => Promise<void>,
): Finding {
  const changes = [{ field: 'join token', observed, desired }];
  return { state: 'Drifted', drift: { changes, summary, partial: true, blocks: false, remedy } };
}
