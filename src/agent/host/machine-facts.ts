import { readFileSync } from 'node:fs';
import { arch, hostname, networkInterfaces, totalmem } from 'node:os';
import { defaultInterface } from '../engine/route-table.ts';

/** Facts about this machine. `arch` is Node's name, such as x64 or arm64; K3s may not support it. */
export interface MachineFacts {
  readonly arch: string;
  readonly hostname: string;
  readonly memoryMb: number;
  /**
   * The host's addresses, except those of loopback and of interfaces that K3s or a container engine created. Those of
   * the default route's interface come first.
   */
  readonly addresses: readonly string[];
  /** The same addresses in the same order, each with its interface. */
  readonly interfaces: readonly InterfaceAddress[];
}

/** An address of this host and its interface. */
interface InterfaceAddress {
  readonly interface: string;
  readonly address: string;
  /** True if the interface is that of the IPv4 default route. */
  readonly hasDefaultRoute: boolean;
}

/** Reads the facts about this machine, without starting a process. */
export function machineFacts(): MachineFacts {
  const interfaces = addressesOf(networkInterfaces(), defaultInterface(routeTable()));
  return {
    arch: arch(),
    hostname: hostname(),
    memoryMb: Math.floor(totalmem() / 1024 / 1024),
    addresses: interfaces.map(({ address }) => address),
    interfaces,
  };
}

/** The names of interfaces that K3s and container engines create. None has an address of the machine itself. */
const madeForPods = /^(cni|flannel|veth|cali|kube-|docker|br-|virbr|nodelocaldns|dummy)/;

/**
 * Returns the addresses of these interfaces, except those of loopback and of interfaces that K3s or a container engine
 * created. Those of the interface `first` come first.
 */
export function addressesOf(
  interfaces: ReturnType<typeof networkInterfaces>,
  first: string | undefined,
): readonly InterfaceAddress[] {
  return Object.entries(interfaces)
    .filter(([name]) => !madeForPods.test(name))
    .toSorted(([a], [b]) => Number(b === first) - Number(a === first))
    .flatMap(([name, each = []]) => each.map((one) => ({ ...one, interface: name })))
    .filter(({ internal }) => !internal)
    .map(({ interface: name, address }) => ({ interface: name, address, hasDefaultRoute: name === first }));
}

function routeTable(): string {
  try {
    return readFileSync('/proc/net/route', 'utf8');
  } catch {
    return '';
  }
}
