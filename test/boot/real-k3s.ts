import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Mirror } from '../lab/mirror.ts';

/** The configuration that a real K3s needs on a host, whose root file system is an overlay; empty for the stand-in. */
export const realK3sConfig = process.env.SLIPWAY_REAL_K3S === undefined ? {} : { snapshotter: 'native' };

/**
 * Publishes the K3s at the path in SLIPWAY_REAL_K3S as the release that it names, in place of the stand-in; does
 * nothing without this variable. Throws if the executable names no release.
 */
export function publishRealK3s(mirror: Mirror): void {
  const path = process.env.SLIPWAY_REAL_K3S;
  if (path === undefined) {
    return;
  }
  const printed = execFileSync(path, ['--version'], { encoding: 'utf8' });
  const [, version] = /^k3s version (v[\w.+-]+)/.exec(printed) ?? [];
  if (version === undefined) {
    throw new Error(`SLIPWAY_REAL_K3S names no K3s: it prints ${JSON.stringify(printed)}.`);
  }
  mirror.publishK3s(version, readFileSync(path));
}
