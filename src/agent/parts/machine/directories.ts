import { dirname } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type ConditionType, type Finding, inSync, type Resource, step } from '../../engine/resource.ts';
import { forPerson } from '../../engine/severity.ts';
import type { K3sNode } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { joinedCluster, proofOfJoining } from '../k3s/index.ts';
import { type UnsafePath, unsafePath } from './unsafe-path.ts';

export const directoriesId = 'Directories';

/**
 * Checks that only root can replace what root runs or trusts. Throws `UnsafePath` for a directory, link, link target or
 * settings file that belongs to another user or that others may write to. If this is Slipway's own state or run
 * directory and the path to it is safe, corrects the owner or mode instead.
 *
 * The error blocks a node that has not joined a cluster. A file that proves joining counts only if no other user can
 * have written it.
 */
export function safeDirectories(node: K3sNode): Resource {
  const { slipway } = node.paths;
  const own = [slipway.state, dirname(slipway.status)];
  return {
    id: directoriesId,
    summary: 'check who may write on the way to what root runs',
    condition: 'Preflight',
    async check(host): Promise<Finding> {
      const found = await unsafePath(host, node.paths);
      if (found === undefined) {
        return inSync();
      }
      if (own.includes(found.path)) {
        return takenBack(found);
      }
      const blocks = !(await hasSurelyJoined(host, node));
      throw unsafeDirectory(
        found,
        blocks ? ' Until then Slipway neither installs nor starts K3s.' : '',
        blocks,
      );
    },
  };
}

/**
 * Checks that only root can replace the files at these places and the directories on the paths to them. Otherwise
 * throws `UnsafePath`, which blocks.
 */
export function safeWay(paths: NodePaths, places: readonly string[], condition: ConditionType): Resource {
  return {
    id: directoriesId,
    summary: 'check who may write on the way',
    condition,
    async check(host) {
      const found = await unsafePath(host, paths, places);
      if (found === undefined) {
        return inSync();
      }
      throw unsafeDirectory(found);
    },
  };
}

function takenBack({ path, fault, repair: [file, ...args] }: UnsafePath): Finding {
  return step({ field: path, observed: fault, desired: "root's alone" }, async (host) => {
    await host.run({ file, args: [...args, path] });
  });
}

function unsafeDirectory({ path, place, fault, repair }: UnsafePath, until = '', blocks = true): NodeError {
  const leadsTo = path === place ? '' : `, on the way to ${place},`;
  return new NodeError(
    'UnsafePath',
    `${path}${leadsTo} ${fault}, so a user who is not root can exchange what root runs or trusts. See that all in it is as it ` +
      `should be, then run: ${[...repair, path].join(' ')}.${until}`,
    { ...forPerson, blocks },
  );
}

async function hasSurelyJoined(host: HostReader, node: K3sNode): Promise<boolean> {
  if (!(await joinedCluster(host, node))) {
    return false;
  }
  return (await unsafePath(host, node.paths, [proofOfJoining(node)])) === undefined;
}
