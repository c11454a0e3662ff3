import { arch, hostname, networkInterfaces, totalmem } from 'node:os';

/** What this machine says of itself. `arch` is Node's name for it: x64, arm64, or one that K3s is not made for. */
export interface MachineFacts {
  readonly arch: string;
  readonly hostname: string;
  readonly memoryMb: number;
  /** Addresses of this host, without its loopback ones. */
  readonly addresses: readonly string[];
}

/** Looks at the machine; starts no process. */
export function machineFacts(): MachineFacts {
  return {
    arch: arch(),
    hostname: hostname(),
    memoryMb: Math.floor(totalmem() / 1024 / 1024),
    addresses: Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address }) => address),
  };
}
