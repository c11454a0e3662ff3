import { readFileSync } from 'node:fs';
import { arch, hostname, networkInterfaces, totalmem } from 'node:os';

/** Facts that this machine reports of itself. `arch` is Node's name: x64, arm64, or one that K3s is not made for. */
export interface MachineFacts {
  readonly arch: string;
  readonly hostname: string;
  readonly memoryMb: number;
  /** Addresses of this host, without those of loopback and pods; those of the default route first. */
  readonly addresses: readonly string[];
}

/** Reads the facts of the machine; starts no process. */
export function machineFacts(): MachineFacts {
  return {
    arch: arch(),
    hostname: hostname(),
    memoryMb: Math.floor(totalmem() / 1024 / 1024),
    addresses: addressesOf(networkInterfaces(), defaultInterface(routeTable())),
  };
}

/** Interfaces that K3s and container engines make: none of them has the machine's own address. */
const madeForPods = /^(cni|flannel|veth|cali|kube-|docker|br-|virbr|nodelocaldns|dummy)/;

/** Returns the addresses of a machine, those of the interface of its default route first. */
export function addressesOf(
  interfaces: ReturnType<typeof networkInterfaces>,
  first: string | undefined,
): readonly string[] {
  return Object.entries(interfaces)
    .filter(([name]) => !madeForPods.test(name))
    .toSorted(([a], [b]) => Number(b === first) - Number(a === first))
    .flatMap(([, each]) => each ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);
}

/**
 * Returns the interface of the default route with the lowest metric, by the kernel's table (proc_pid_net(5), route).
 */
export function defaultInterface(table: string): string | undefined {
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/));
  const defaults = rows.filter(
    ([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000',
  );
  return defaults.toSorted((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}

function routeTable(): string {
  try {
    return readFileSync('/proc/net/route', 'utf8');
  } catch {
    return '';
  }
}
