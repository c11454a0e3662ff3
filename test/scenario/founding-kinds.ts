import { type Vm, vm } from './a-vm.ts';
import { ca, joinToken } from './world.ts';

const minute = 60_000;

/** Settings of a server with embedded etcd. */
export const etcd = `
gitops: { engine: none }
k3s: { datastore: etcd, server: k3s.example.com, peers: [10.0.0.4, 10.0.0.6] }
registries: { onRotate: never }
`;
const marked = etcd.replace('datastore', 'init: true, datastore');

/** Stops the other server of the cluster. */
export function silent({ peer }: Vm): void {
  peer.cluster = undefined;
}

/** Starts the other server of the cluster. */
export function withPeer(machine: Vm): void {
  machine.peer.cluster = { token: joinToken, ca };
}

/**
 * The kinds of servers with embedded etcd, each with its settings, its surroundings, and the time of its first
 * boot.
 */
export const kinds = [
  { kind: 'first server', settings: marked, prepare: silent, within: 8 * minute, way: 'founded' },
  { kind: 'joining server', settings: etcd, prepare: withPeer, within: minute, way: 'joined' },
  {
    kind: 'marked server beside a living cluster',
    settings: marked,
    prepare: withPeer,
    within: minute,
    way: 'joined',
  },
] as const;

export function made({ settings, prepare }: (typeof kinds)[number]): Vm {
  const machine = vm('server', settings);
  prepare(machine);
  return machine;
}

/** Returns the changes of a server after the first `length` ones, except renewals of the Lease of the acting server. */
export function changesSince({ host }: Vm, length: number): readonly string[] {
  const renewal = /^send PUT .*\/leases\/slipway-acting\?/;
  return host
    .lines()
    .slice(length)
    .filter((line) => !renewal.test(line));
}
