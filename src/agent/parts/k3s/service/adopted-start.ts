import { dirname } from 'node:path';
import { commandLine } from '../../../engine/command-line.ts';
import { shortDigest } from '../../../engine/digest.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { heldBack, unless } from '../../../resources/combinators.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import type { Gate } from '../gate.ts';
import { readStamp } from './start-stamp.ts';

/**
 * Checks that Slipway's unit started K3s: after a start by another unit, K3s lacks Slipway's configuration and
 * credential provider. Restarts K3s through the gate if consent.restart names that start or the unit; otherwise throws
 * `UnitAdopted` until a person restarts K3s.
 */
export function ownStart(node: K3sNode, gate: Gate, needs: readonly string[]): Resource {
  const unit = unitName(node.role.k3s);
  const restart = systemctl('restart', '--no-block', unit);
  return {
    id: 'Adoption/start',
    summary: "check that Slipway's own unit started K3s",
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const start = await foreignStart(host, node);
      if (start === undefined) {
        return inSync();
      }
      if (!mayRestart(node, start)) {
        throw unitAdopted(node, start);
      }
      const changes = [{ field: unit, observed: 'started by another unit', desired: 'started by Slipway’s' }];
      const remedy = async (host: Host) => void (await host.run(restart));
      const wish = {
        kind: 'restart',
        name: "restart by Slipway's unit",
        digest: shortDigest(start),
      } as const;
      const drift = { changes, summary: commandLine(restart), remedy };
      return (await gate(host, wish)) ?? { state: 'Drifted', drift };
    },
  };
}

/** While K3s runs from a start by another unit, waits without blocking instead of checking the Resource. */
export function afterOwnStart(node: K3sNode, resource: Resource): Resource {
  return unless(resource, async (host) => {
    const start = await foreignStart(host, node);
    if (start === undefined) {
      return undefined;
    }
    const { reason, message } = unitAdopted(node, start);
    return waiting(reason, message, { ...advisory, after: 60_000 });
  });
}

/**
 * Holds back the drift of the Resource while K3s runs from a start by another unit, always or only while `where` is
 * true.
 */
export function heldUntilOwnStart(
  node: K3sNode,
  resource: Resource,
  where: (host: HostReader) => Promise<boolean> = async () => true,
): Resource {
  return heldBack(resource, async (host) => {
    const start = (await where(host)) ? await foreignStart(host, node) : undefined;
    return start === undefined ? undefined : unitAdopted(node, start);
  });
}

/**
 * Returns the start of the running or starting K3s, as `k3s.service@<invocation>`, if a unit other than Slipway's
 * started K3s; otherwise `undefined`. At each start, Slipway's unit creates a directory and, if Slipway could run, a
 * stamp in that directory.
 */
export async function foreignStart(
  host: HostReader,
  { role, paths }: Pick<K3sNode, 'role' | 'paths'>,
): Promise<string | undefined> {
  const unit = unitName(role.k3s);
  const shown = await showUnit(host, unit, ['ActiveState', 'SubState', 'InvocationID']);
  const { ActiveState, SubState, InvocationID } = shown;
  // Between two starts, and for a moment at the beginning of a start, the directory is missing even if Slipway's unit
  // starts K3s.
  const isTooEarly = SubState === 'auto-restart' || SubState === 'start-pre';
  if (!['active', 'reloading', 'activating'].includes(ActiveState) || isTooEarly) {
    return undefined;
  }
  const hasStamp = (await host.stat(paths.k3s.stamp)) !== undefined;
  const isOurs = hasStamp
    ? (await readStamp(host, paths, InvocationID)) !== undefined
    : (await host.stat(dirname(paths.k3s.stamp))) !== undefined;
  return isOurs ? undefined : `${unit}@${InvocationID.slice(0, 12)}`;
}

function mayRestart({ role, settings }: K3sNode, start: string): boolean {
  return [start, unitName(role.k3s)].some((subject) => isConsented(settings, 'restart', subject));
}

function unitAdopted({ role, settings }: K3sNode, start: string): NodeError {
  const pulls =
    settings.registries.servers.length > 0
      ? ' Its kubelet does not ask Slipway for logins, so pulls fail once the login that containerd was given has ended.'
      : '';
  return new NodeError(
    'UnitAdopted',
    `K3s runs from a start by another unit than Slipway's, without Slipway's configuration.${pulls} Start it again when that ` +
      `suits: systemctl restart ${unitName(role.k3s)}; or ${consentAdvice(settings, 'restart', start)}; or, the daemon stopped, ` +
      'slipway apply --restart.',
    advisory,
  );
}
