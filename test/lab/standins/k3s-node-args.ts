import type { K3sCommand } from './k3s-flags.ts';

/**
 * Returns the value of the annotation k3s.io/node-args, in which K3s shows the arguments of its last start: a JSON list
 * with each flag followed by its value, and with secrets masked.
 *
 * Models pkg/nodeconfig/nodeconfig.go, getNodeArgs and isSecret.
 */
export function nodeArgs(command: K3sCommand, args: readonly string[]): string {
  const words = args.flatMap((arg) => (arg.startsWith('--') ? arg.split(/=(.*)/s).slice(0, 2) : [arg]));
  const shown = words.map((word, at) => (secrets.includes(words[at - 1] ?? '') ? '********' : word));
  return JSON.stringify([command, ...shown]);
}

const secrets = [
  '--token',
  '-t',
  '--agent-token',
  '--datastore-endpoint',
  '--etcd-s3-access-key',
  '--etcd-s3-secret-key',
];
