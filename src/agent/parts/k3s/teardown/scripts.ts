import { basename, join } from 'node:path';
import { shellWord } from '../../../engine/command-line.ts';
import type { Resource } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { file } from '../../../resources/file.ts';

/** The names of the scripts that operators know from the K3s installer (docs.k3s.io/installation/uninstall). */
const names = {
  killall: 'k3s-killall.sh',
  server: 'k3s-uninstall.sh',
  agent: 'k3s-agent-uninstall.sh',
} as const;

/**
 * Keeps the scripts that stop and remove K3s. They replace those of the K3s installer, which would leave Slipway
 * running.
 */
export function k3sScripts(node: K3sNode): readonly Resource[] {
  const bin = node.paths.system.bin;
  const script = (path: string, command: string) =>
    file({
      path,
      content: renderScript(node, basename(path), command),
      mode: 0o755,
      replacesLinks: true,
      condition: 'K3sBinary',
    });
  return [
    script(join(bin, names.killall), 'k3s-killall'),
    script(join(bin, names[node.role.k3s]), 'k3s-uninstall'),
  ];
}

/** Returns the paths of the scripts for every kind of node; some may not exist on this node. */
export function scriptPaths({ system }: NodePaths): readonly string[] {
  return Object.values(names).map((name) => join(system.bin, name));
}

function renderScript({ slipway, paths }: K3sNode, name: string, command: string): string {
  const root = paths.root === '/' ? '' : ` --root ${shellWord(paths.root)}`;
  return `#!/bin/sh
# Written by Slipway in place of the script of K3s' installer: Slipway does it, and does not undo it.
slipway=${shellWord(slipway)}
if [ ! -x "$slipway" ]; then
  printf '%s\\n' "${name}: $slipway is not there, and nothing was done; put it there and run this again" >&2
  exit 1
fi
exec "$slipway" ${command}${root} "$@"
`;
}
