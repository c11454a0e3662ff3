import type { UpgradeRecord } from '../../../../../../src/agent/parts/k3s/upgrade/record.ts';
import { upgradeDigest } from '../../../../../../src/agent/parts/k3s/upgrade/record.ts';
import { type MemoryHost, memoryHost, type StartFile } from '../../../../../lab/memory-host.ts';
import { aNode, type NodeChanges } from '../../../a-node.ts';

export const [old, patch, minor] = ['v1.36.3+k3s1', 'v1.36.4+k3s1', 'v1.37.0+k3s1'] as const;
export const binary = '/usr/local/bin/k3s';
export const next = '/usr/local/bin/.k3s.next';
export const previous = '/usr/local/bin/.k3s.previous';
export const recordPath = '/var/lib/slipway/upgrade.json';

/** Returns a server that wants a release, with k3s.upgrade auto. */
export function wanting(version: string, changes: NodeChanges = {}) {
  return aNode('server', {
    version,
    ...changes,
    settings: { k3s: { upgrade: 'auto' }, ...changes.settings },
  });
}

/** Returns the record of a begun upgrade from `old` to `patch` as text, with the fields in `changes` replaced. */
export function recorded(changes: Partial<UpgradeRecord> = {}): string {
  const wanted = changes.wanted ?? patch;
  const digest = upgradeDigest(wanting(wanted));
  return JSON.stringify({ from: old, digest, state: 'begun', restarts: 0, ...changes, wanted });
}

/**
 * Returns a host of a server that has joined. The content of an executable is its release, which it prints with
 * --version, and `unit` has the properties of K3s's unit.
 */
export function upgrading(
  files: Readonly<Record<string, StartFile>>,
  unit: Readonly<Record<string, string>> = {},
): MemoryHost {
  const host = memoryHost({ files: { '/var/lib/rancher/k3s/server/token': 'token', ...files } });
  for (const path of [binary, next, previous]) {
    host.on({ file: path, args: ['--version'] }, () => {
      const version = host.files.text(path);
      return version === undefined ? { exitCode: 127 } : `k3s version ${version} (1a2b3c4d)\n`;
    });
  }
  const shown = { ActiveState: 'active', SubState: 'running', NRestarts: '0', InvocationID: 'one', ...unit };
  host.on({ file: 'systemctl', args: /^show k3s\.service / }, () =>
    Object.entries(shown)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return host;
}
