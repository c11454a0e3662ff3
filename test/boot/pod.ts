/** A pod on a host, like those of flannel and CNI's portmap plugin: a network namespace with its own address. */
import type { BootedHost } from './booted-host.ts';

/** The name of the pod's network namespace. */
export const podNamespace = 'pod';

/** Creates the pod. Its packets leave the host with the host's source address. */
export async function startPod(host: BootedHost): Promise<void> {
  await host.ask('sh', '-c', makePod);
}

/** Forwards a TCP port of the host to a port of the pod. */
export async function addHostPort(host: BootedHost, port: number, podPort: number): Promise<void> {
  const to = `10.42.7.2:${podPort}`;
  const rule = ['PREROUTING', '-p', 'tcp', '--dport', String(port), '-j', 'DNAT', '--to-destination', to];
  await host.ask('iptables', '-t', 'nat', '-A', ...rule);
}

const makePod = `set -e
ip netns add ${podNamespace}
ip link add pod0 type veth peer name eth0 netns ${podNamespace}
ip addr add 10.42.7.1/24 dev pod0
ip link set pod0 up
ip -n ${podNamespace} addr add 10.42.7.2/24 dev eth0
ip -n ${podNamespace} link set eth0 up
ip -n ${podNamespace} route add default via 10.42.7.1
iptables -t nat -A POSTROUTING -s 10.42.7.0/24 ! -d 10.42.0.0/16 -j MASQUERADE`;
