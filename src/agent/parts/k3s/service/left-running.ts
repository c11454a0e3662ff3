import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { unitName } from '../../../node.ts';
import { retelling } from '../../../resources/combinators.ts';
import { showUnit } from '../../../resources/unit.ts';

/**
 * Adds the running K3s units to the message of each error of the Resource, since Slipway does not watch them without a
 * role.
 */
export function namingK3sLeftRunning(resource: Resource): Resource {
  return retelling(resource, withRunning);
}

async function withRunning(host: HostReader, error: NodeError): Promise<NodeError> {
  const units = (['server', 'agent'] as const).map(unitName);
  const states = await Promise.all(
    units.map((unit) => showUnit(host, unit, ['ActiveState']).catch(() => undefined)),
  );
  const running = units.filter((_, at) => ['active', 'reloading'].includes(states[at]?.ActiveState ?? ''));
  if (running.length === 0) {
    return error;
  }
  const { reason, message, blocks, endedBy, retry, cause } = error;
  const told = `Meanwhile ${running.join(' and ')} runs on, and Slipway leaves it as it is: neither watched nor restarted.`;
  return new NodeError(reason, `${message} ${told}`, { blocks, endedBy, retry, cause });
}
