import * as z from 'zod/mini';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { forPerson } from '../../../engine/severity.ts';
import { readKubeconfig } from '../../../kubernetes/kubeconfig.ts';
import { readList } from '../../../kubernetes/lists.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { showUnit } from '../../../resources/unit.ts';
import { lastWords } from '../service/journal/find-cause.ts';
import { type Restore, restoreCommand } from './restore-state.ts';
import { wayBack } from './way-back.ts';

/** The longest wait for the API in milliseconds. K3s may first compact its datastore, which takes minutes. */
const longest = 15 * 60_000;
const interval = 2_000;
/** The number of times that K3s must end for the start to count as failed. */
const mostEnds = 3;

const unit = unitName('server');

/**
 * Waits until the API of this server is ready with the restored datastore, and returns the names of the nodes that it
 * lists; `undefined` once `interrupted` is aborted. Throws `RestoreFailed`, with the way back, if K3s ends three times
 * or is not ready after fifteen minutes.
 */
export async function apiBack(
  host: Host,
  paths: NodePaths,
  restore: Restore,
  interrupted: AbortSignal,
): Promise<readonly string[] | undefined> {
  const end = host.monotonic() + longest;
  while (!interrupted.aborted) {
    const names = await nodeNames(host, paths).catch((thrown: unknown) => {
      if (thrown instanceof NodeError) {
        return undefined;
      }
      throw thrown;
    });
    if (names) {
      return names;
    }
    const shown = await showUnit(host, unit, ['ActiveState', 'NRestarts', 'InvocationID']);
    if (shown.ActiveState === 'failed' || Number(shown.NRestarts) >= mostEnds) {
      throw await failed(host, 'K3s ends at each start.', paths, restore);
    }
    if (host.monotonic() >= end) {
      throw await failed(host, `its API is not ready after ${longest / 60_000} minutes.`, paths, restore);
    }
    await host.sleep(interval, interrupted);
  }
  return undefined;
}

/** Returns the names of the nodes; `undefined` while the API is not ready. */
async function nodeNames(host: HostReader, paths: NodePaths): Promise<readonly string[] | undefined> {
  const { ActiveState } = await showUnit(host, unit, ['ActiveState']);
  if (ActiveState !== 'active') {
    return undefined;
  }
  const access = await readKubeconfig(host, paths.k3s.kubeconfig);
  const { status } = await host.get({ url: `${access.server}/readyz`, trust: access.trust });
  if (status !== 200) {
    return undefined;
  }
  const nodes = await readList(host, access, '/api/v1/nodes', named, 'listMetadata');
  return nodes.map(({ metadata }) => metadata.name);
}

const named = z.object({ metadata: z.object({ name: z.string() }) });

async function quotedWords(host: HostReader): Promise<string> {
  const { stdout } = await host.query({
    file: 'journalctl',
    args: ['-u', unit, '-o', 'cat', '-n', '50', '--no-pager'],
  });
  const words = lastWords(stdout);
  return words === undefined ? '' : ` Its last words: "${words}".`;
}

async function failed(host: HostReader, why: string, paths: NodePaths, restore: Restore): Promise<NodeError> {
  return new NodeError(
    'RestoreFailed',
    `${restore.isOwn ? 'The cluster of this server alone is made' : 'The copy is in place'}, but ${why}${await quotedWords(host)} To wait again: ${restoreCommand(restore)}. To go back ` +
      `to what was there before: ${await wayBack(host, paths, restore)}.`,
    forPerson,
  );
}
