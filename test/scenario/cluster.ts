import type { Command, CommandResult } from '../../src/agent/engine/host.ts';
import type { ApiObject } from '../lab/standins/k3s-objects.ts';
import type { World } from './world.ts';

/** The folder in which the simulated cluster keeps the objects of Flux as JSON, by resource. */
export const api = '/cluster';

/** Emulates the kubectl commands that read the objects of Flux. */
export function kubectl({ host, units }: World, { args }: Command): string | Partial<CommandResult> {
  if (!units.isActive(/^k3s/)) {
    return failed('The connection to the server 127.0.0.1:6443 was refused');
  }
  const [verb, kind] = args.slice(args.indexOf('--cache-dir=/dev/null') + 1);
  const found = verb === 'get' ? host.files.text(`${api}/${kind}`) : undefined;
  return found ?? failed(`error: the server doesn't have a resource type "${kind}"`);
}

/** Returns the annotations of a Node; empty if the cluster has no such Node. */
export function annotationsOf({ kubernetes }: World, node: string): Readonly<Record<string, string>> {
  return Object(kubernetes.objects.get('nodes', undefined, node)?.metadata.annotations);
}

/** Returns the events in the cluster, in the order of their times. */
export function eventsOf({ kubernetes }: World): readonly ApiObject[] {
  const time = ({ firstTimestamp }: ApiObject) => String(firstTimestamp);
  return [...kubernetes.objects.list('events')].sort((a, b) => time(a).localeCompare(time(b)));
}

export function failed(stderr: string): Partial<CommandResult> {
  return { exitCode: 1, stderr };
}
