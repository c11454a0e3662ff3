import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleStandIn } from '../lab/bundle.ts';
import { standInNode } from './booted-host.ts';

/** The last words of an agent that does not come up. K3s prints them for a flag that a release does not know. */
export const lastWords = 'Incorrect Usage: flag provided but not defined: -dropped';

/** Resolves to a release of K3s that works on servers, but whose agent ends at once. */
export async function brokenForAgents(version: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-broken-'));
  try {
    const built = await bundleStandIn('k3s', join(folder, 'k3s'), { K3S_VERSION: version }, standInNode);
    const script = await readFile(built, 'utf8');
    const ends = `[ "$1" = agent ] && { echo '${lastWords}' >&2; exit 1; }`;
    return Buffer.from(script.replace('; exec ', () => `; ${ends}; exec `));
  } finally {
    await rm(folder, { recursive: true });
  }
}
