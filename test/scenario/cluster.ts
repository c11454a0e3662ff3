import type { Command, CommandResult } from '../../src/agent/engine/host.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { MemoryHost } from '../lab/memory-host.ts';
import type { World } from './world.ts';

/** The folder in which the simulated cluster keeps its objects as JSON, by resource. */
export const api = '/cluster';

const paths = nodePaths('/');

/** The fields that tests read from an event in the cluster. */
export interface SeenEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly firstTimestamp: string;
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid: string };
}

/**
 * Emulates the kubectl commands that Slipway uses. Fails if the kubeconfig is missing, if K3s is not active, for a
 * change that does not use kubelet's kubeconfig, and for any other command.
 */
export function kubectl({ host, units }: World, { args }: Command): string | Partial<CommandResult> {
  const kubeconfig = args[args.indexOf('--kubeconfig') + 1] ?? '';
  if (host.files.text(kubeconfig) === undefined) {
    return failed(`error: stat ${kubeconfig}: no such file or directory`);
  }
  if (!units.isActive(/^k3s/)) {
    return failed('The connection to the server 127.0.0.1:6443 was refused');
  }
  const [verb, ...rest] = args.slice(args.indexOf('--cache-dir=/dev/null') + 1);
  if (verb === 'get') {
    return get(host, rest);
  }
  if (kubeconfig !== paths.k3s.kubeletKubeconfig) {
    return failed(`The test did not foresee: ${verb} as a user other than kubelet`);
  }
  if (verb === 'annotate') {
    return annotate(host, rest);
  }
  if (verb === 'create') {
    return create(host, rest);
  }
  return failed(`error: unknown command "${verb}" for "kubectl"`);
}

/** Returns the annotations of a node; empty if the cluster has no such node. */
export function annotationsOf(host: MemoryHost, node: string): Readonly<Record<string, string>> {
  return JSON.parse(host.files.text(`${api}/nodes/${node}`) ?? '{}').metadata?.annotations ?? {};
}

export function eventsOf(host: MemoryHost): readonly SeenEvent[] {
  return JSON.parse(host.files.text(`${api}/events`) ?? '[]');
}

function get(host: MemoryHost, [kind = '', name = '']: readonly string[]): string | Partial<CommandResult> {
  if (kind === 'node') {
    return host.files.text(`${api}/nodes/${name}`) ?? notFound(name);
  }
  return (
    host.files.text(`${api}/${kind}`) ?? failed(`error: the server doesn't have a resource type "${kind}"`)
  );
}

function annotate(host: MemoryHost, words: readonly string[]): string | Partial<CommandResult> {
  const [kind, name = '', ...pairs] = words.slice(0, -1);
  if (kind !== 'node' || words.at(-1) !== '--overwrite') {
    return failed(`not foreseen: ${words.join(' ')}`);
  }
  const text = host.files.text(`${api}/nodes/${name}`);
  if (text === undefined) {
    return notFound(name);
  }
  const node = JSON.parse(text);
  const given = Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
  const annotations = { ...node.metadata?.annotations, ...given };
  host.files.write(`${api}/nodes/${name}`, JSON.stringify({ ...node, metadata: { annotations } }));
  return `node/${name} annotated\n`;
}

function create(host: MemoryHost, words: readonly string[]): string | Partial<CommandResult> {
  const [validate, flag, file = ''] = words;
  const list = host.files.read(file);
  if (validate !== '--validate=ignore' || flag !== '-f' || words.length !== 3 || list?.mode !== 0o600) {
    return failed(`not foreseen: ${words.join(' ')}`);
  }
  const { items } = JSON.parse(list.content);
  host.files.write(`${api}/events`, JSON.stringify([...eventsOf(host), ...items]));
  return 'event created\n'.repeat(items.length);
}

function notFound(name: string): Partial<CommandResult> {
  return failed(`Error from server (NotFound): nodes "${name}" not found`);
}

export function failed(stderr: string): Partial<CommandResult> {
  return { exitCode: 1, stderr };
}
