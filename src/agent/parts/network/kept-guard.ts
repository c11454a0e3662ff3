import { NodeError } from '../../engine/errors.ts';
import type { Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import type { NodePaths } from '../../paths.ts';
import { unless } from '../../resources/combinators.ts';
import { hasGuard } from './guard-unit.ts';

/**
 * Returns the removal of the guard with a check that throws `ImdsGuardKept`, and removes nothing, if a guard exists. A
 * machine that shows no sign of a cloud may be in a cloud that was not detected this time.
 */
export function unlessGuarded(removal: Resource, paths: NodePaths, cloud: string, setting: string): Resource {
  return unless(removal, async (host) => {
    if (await hasGuard(host, paths)) {
      throw guardKept(cloud, setting);
    }
    return undefined;
  });
}

function guardKept(cloud: string, setting: string): NodeError {
  return new NodeError(
    'ImdsGuardKept',
    `Pods are still kept from the metadata service by the rules that Slipway loaded earlier, although cloud ${cloud} ` +
      `has no address to guard: the cloud may not have been detected. Name the cloud, or the addresses in ${setting}; ` +
      'or, if pods may ask the metadata service, add `imds: { pods: allow }` to /etc/slipway/config.yaml.',
    advisory,
  );
}
