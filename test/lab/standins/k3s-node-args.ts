import type { K3sCommand } from './k3s-flags.ts';

/**
 * Returns the arguments of a start of K3s as the annotation k3s.io/node-args of its Node shows them: a JSON list, in
 * which each flag is followed by its value and secrets are masked.
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
