import { commandLine } from '../../../engine/command-line.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { isOnlyServer, type K3sNode, unitName } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { systemctl } from '../../../resources/unit.ts';
import { activeStart } from '../datastore/active-start.ts';
import type { Gate, Wish } from '../gate.ts';
import { endRotation, type RotationRecord, readRotation } from '../membership/rotation-record.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { heldUntilOwnStart } from '../service/adopted-start.ts';
import type { RotationNotice } from './notice.ts';

/**
 * Restarts a K3s that has stored a new join token but still accepts only the old one, once the gate allows the
 * interruption. Ends the rotation once K3s has started again for any reason, because that start used the new token.
 *
 * With several servers, the notice stays until all of them accept the new token (`noticeRemoved`). A server that could
 * start only with the old token forgets its rotation, because another one may have to send the request.
 */
export function rotationRestart(
  node: K3sNode,
  { gate, notice }: { readonly gate: Gate; readonly notice: RotationNotice },
  needs: readonly string[],
): Resource {
  return heldUntilOwnStart(node, {
    id: 'Token/restart',
    summary: 'restart K3s, so that it accepts the new join token',
    condition: 'JoinToken',
    needs,
    async check(host) {
      const record = await readRotation(host, node.paths);
      const start = record?.state === 'rotated' ? await activeStart(host) : undefined;
      if (record === undefined || start === undefined) {
        return inSync();
      }
      return record.invocation === start ? restart(host, node, gate, record) : end(node, record, notice);
    },
  });
}

async function restart(
  host: HostReader,
  { role }: K3sNode,
  gate: Gate,
  record: RotationRecord,
): Promise<Finding> {
  const command = systemctl('restart', '--no-block', unitName(role.k3s));
  const remedy = async (changing: Host) => void (await changing.run(command));
  return (await gate(host, rotationWish(record))) ?? drift(record, commandLine(command), remedy);
}

function end(node: K3sNode, record: RotationRecord, notice: RotationNotice): Finding {
  return drift(record, 'end the rotation of the join token', async (host) => {
    if (isOnlyServer(node)) {
      await notice.remove(host, node);
    } else if (await usesFormer(host, node, record)) {
      return host.remove(node.paths.slipway.tokenRotation);
    }
    await endRotation(host, node, record);
  });
}

async function usesFormer(host: HostReader, { paths }: K3sNode, { from }: RotationRecord): Promise<boolean> {
  const present = parseToken(await fileText(host, paths.slipway.joinToken));
  return present !== undefined && tokenDigest(present) === from;
}

/** Returns the wish for the restart after a rotation; every node that rotates to this token has the same wish. */
function rotationWish({ to }: RotationRecord): Wish {
  return { kind: 'token', name: `token ${to}`, digest: to };
}

function drift(
  { from, to }: RotationRecord,
  summary: string,
  remedy: (host: Host) => Promise<void>,
): Finding {
  const changes = [{ field: 'token that K3s accepts', observed: from, desired: to }];
  return { state: 'Drifted', drift: { changes, summary, blocks: false, remedy } };
}
