import { commandLine } from '../../../engine/command-line.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { systemctl } from '../../../resources/unit.ts';
import { activeStart } from '../datastore/active-start.ts';
import type { Gate, Wish } from '../gate.ts';
import { endRotation, type RotationRecord, readRotation } from '../membership/rotation-record.ts';
import { heldUntilOwnStart } from '../service/adopted-start.ts';
import type { RotationNotice } from './notice.ts';

/**
 * Restarts a K3s that has stored a new join token but still accepts only the old one, once the gate allows the
 * interruption. Ends the rotation once K3s has started again for any reason, because that start used the new token.
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
    await notice.remove(host, node);
    await endRotation(host, node, record);
  });
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
