import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { inSync, type Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import type { NodePaths } from '../../paths.ts';
import { unless } from '../../resources/combinators.ts';
import { hasGuard } from './guard-unit.ts';
import type { GuardedService } from './ruleset.ts';

/**
 * Returns the guard's Resources, changed so that they do nothing on a node that served pods before it had a guard:
 * these pods may use the identity of the VM, as External Secrets does. On such a node, an additional Resource throws
 * `ImdsGuardUndecided`.
 */
export function undecidedGuard(
  guard: readonly Resource[],
  paths: NodePaths,
  servedBefore: (host: HostReader) => Promise<boolean>,
  services: readonly GuardedService[],
): readonly Resource[] {
  const isOpen = async (host: HostReader) => !(await hasGuard(host, paths)) && (await servedBefore(host));
  const decision: Resource = {
    id: 'ImdsGuard/decision',
    summary: 'leave the metadata service open to pods until the settings decide',
    condition: 'ImdsGuard',
    async check(host) {
      if (await isOpen(host)) {
        throw undecided(services);
      }
      return inSync();
    },
  };
  const guarded = guard.map((each) =>
    unless(each, async (host) => ((await isOpen(host)) ? inSync() : undefined)),
  );
  return [...guarded, decision];
}

function undecided(services: readonly GuardedService[]): NodeError {
  const addresses = services.map(({ address }) => address).join(', ');
  return new NodeError(
    'ImdsGuardUndecided',
    `Pods ran on this node before Slipway could keep them from the metadata service (${addresses}), and some may use ` +
      'the identity of this VM, so it stays open to them. Decide in /etc/slipway/config.yaml: `imds: { pods: block }` ' +
      'closes it except for the entries of imds.allow, and `imds: { pods: allow }` keeps it open.',
    advisory,
  );
}
