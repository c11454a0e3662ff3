import type { Host, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { Secret } from '../../../engine/secret.ts';
import type { NodePaths } from '../../../paths.ts';
import { preceded } from '../../../resources/combinators.ts';
import { asidePath, type Restore } from './restore-state.ts';

/** The steps of a restore that change files in place. */
export type ChangingStep = 'membership' | 'token' | 'upgrade';

/** Returns the files that each step changes. The first one always exists, and is kept last. */
function filesOf({
  k3s,
  slipway,
}: NodePaths): Readonly<Record<ChangingStep, readonly [string, ...string[]]>> {
  return {
    membership: [k3s.config, slipway.founding],
    token: [slipway.tokenRotation, slipway.joinToken, k3s.serverToken],
    upgrade: [slipway.upgrade],
  };
}

/** Makes a step first keep the files that it changes in place, unless an earlier attempt has kept them. */
export function keepingFiles(
  resource: Resource,
  paths: NodePaths,
  restore: Restore,
  step: ChangingStep,
): Resource {
  return preceded(resource, (host) => keepAll(host, filesOf(paths)[step], restore));
}

async function keepAll(host: Host, files: readonly [string, ...string[]], restore: Restore): Promise<void> {
  if ((await host.stat(asidePath(files[0], restore))) !== undefined) {
    return;
  }
  for (const path of files.toReversed()) {
    const found = await host.readFile(path);
    if (found !== undefined) {
      await host.writeFile(asidePath(path, restore), new Secret(found.content), { mode: 0o600 });
    }
  }
}

/** A file that a restore has changed in place. `aside` is absent if the file did not exist before. */
export interface KeptFile {
  readonly path: string;
  readonly aside?: string;
}

/** Returns the files that the steps of a restore have changed in place, with the paths of what was there before. */
export async function keptFiles(
  host: HostReader,
  paths: NodePaths,
  restore: Restore,
): Promise<readonly KeptFile[]> {
  const kept: KeptFile[] = [];
  for (const files of Object.values(filesOf(paths))) {
    const asides = files.map((path) => asidePath(path, restore));
    const stats = await Promise.all(asides.map((aside) => host.stat(aside)));
    if (stats[0] !== undefined) {
      kept.push(...files.map((path, at) => ({ path, ...(stats[at] && { aside: asides[at] ?? '' }) })));
    }
  }
  return kept;
}
