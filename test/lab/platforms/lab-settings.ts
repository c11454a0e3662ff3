/** The settings that the lab adds to the settings of an example, in a separate file. */
import { Document } from 'yaml';
import type { NodeFile } from '../example-settings.ts';

/** The reason for each added setting, by the path of the setting. */
const reasons = {
  'network.proxy': 'leads every name to the emulated services and the release mirror',
  'network.caFile': 'the CA of their certificates',
  'oracle.imdsEndpoint': 'the emulated metadata service of this VM, instead of 169.254.169.254',
  'static.secrets.k3s-token': 'the same file below the root of the node',
  'static.computerName': 'the nodes share the host name of this machine',
  'static.address': 'this machine has no IPv4 default route',
  'static.externalAddress': 'this machine has no IPv4 default route',
  'workloads.verifyEvery': 'a new value in the vault reaches the cluster within a minute, not ten',
  'k3s.config.https-listen-port': 'a free port, as another program may use 6443',
} as const;

/** The values of added settings, by path. */
export type LabSettings = { readonly [Path in keyof typeof reasons]?: string | number };

/** Returns the file with a node's added settings. Slipway merges them over the settings of the example. */
export function labFile(settings: LabSettings): NodeFile {
  const content = new Document({});
  for (const [path, value] of Object.entries(settings)) {
    content.setIn(path.split('.'), value);
  }
  return { path: '/etc/slipway/config.d/lab.yaml', content: String(content), mode: 0o600 };
}

/**
 * Returns a line for each setting that the lab adds to at least one of these nodes, with the setting's path and reason.
 */
export function addedLines(nodes: readonly LabSettings[]): readonly string[] {
  const added = Object.entries(reasons).filter(([path]) => nodes.some((settings) => path in settings));
  return added.map(([path, reason]) => `${path.padEnd(29)} ${reason}`);
}
