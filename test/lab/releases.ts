/** Makes releases of K3s that a running lab adds to its mirror. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleStandIn } from './bundle.ts';

/** Builds the executable of a release of K3s from the stand-in. */
export async function goodRelease(version: string): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-release-'));
  try {
    return await readFile(await bundleStandIn('k3s', join(directory, 'k3s'), { K3S_VERSION: version }));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Returns the executable of a release of K3s that reports its version, and ends soon after each start. */
export function brokenRelease(version: string): Buffer {
  const fatal = 'time="2026-08-01T10:00:00Z" level=fatal msg="panic: this release is broken"';
  return Buffer.from(
    `#!/bin/sh\n[ "$1" = --version ] && echo 'k3s version ${version} (badbad00)' && exit 0\necho '${fatal}' >&2\nexit 1\n`,
  );
}
