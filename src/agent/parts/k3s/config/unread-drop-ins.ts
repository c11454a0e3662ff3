import { NodeError, toNodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { advisory } from '../../../engine/severity.ts';
import type { NodePaths } from '../../../paths.ts';
import { isMap } from '../../../settings/path.ts';
import { readK3sYaml } from '../../../settings/yaml.ts';
import { dropInPaths } from '../flags/flags.ts';

/**
 * Returns `K3sConfigInvalid`, with each file and its fault, if an operator's drop-in cannot be read; otherwise
 * `undefined`. The flags in such a file are unknown, and most of these faults make K3s exit at its next start. Ignores
 * directories, and files that this user may not read.
 */
export async function unreadDropIns(host: HostReader, paths: NodePaths): Promise<NodeError | undefined> {
  const dropIns = await dropInPaths(host, paths);
  const faults = await Promise.all(dropIns.map((path) => faultOf(host, path)));
  const found = faults.filter((fault) => fault !== undefined);
  if (found.length === 0) {
    return undefined;
  }
  return new NodeError(
    'K3sConfigInvalid',
    `A file of K3s' configuration cannot be read: ${found.join('; ')}. Slipway neither starts nor restarts K3s until the ` +
      'file is corrected or taken away.',
    advisory,
  );
}

async function faultOf(host: HostReader, path: string): Promise<string | undefined> {
  if ((await host.stat(path))?.kind === 'directory') {
    return undefined;
  }
  try {
    const found = await host.readFile(path);
    const fault = found === undefined ? 'is a link that leads nowhere' : textFault(found.content, path);
    return fault && `${path}: ${fault}`;
  } catch (thrown) {
    const { reason, message } = toNodeError(thrown);
    return reason === 'PermissionDenied' ? undefined : message;
  }
}

function textFault(text: string, path: string): string | undefined {
  const { value, faults } = readK3sYaml(text, path);
  if (faults.length > 0) {
    return faults[0];
  }
  return value === null || isMap(value) ? undefined : 'line 1, column 1: must be a map of keys and values';
}
