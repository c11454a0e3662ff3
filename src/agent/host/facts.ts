import { readFile, statfs } from 'node:fs/promises';
import { arch, hostname, networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { parseEnv } from 'node:util';
import { errnoOf, fileError } from './file-errors.ts';

/** What this machine says of itself. `arch` is Node's name for it: x64, arm64, or one that K3s is not made for. */
export interface MachineFacts {
  readonly arch: string;
  readonly hostname: string;
  readonly memoryMb: number;
  readonly memoryAvailableMb: number;
  readonly os: { readonly id: string; readonly version: string };
  /** Addresses of this host, without its loopback ones. */
  readonly addresses: readonly string[];
}

/** Looks at the machine; starts no process. */
export async function machineFacts(): Promise<MachineFacts> {
  // Only mem() of systeminformation: nearly everything else there runs a shell, some of it synchronously.
  const { mem } = await import('systeminformation');
  const memory = await mem();
  return {
    arch: arch(),
    hostname: hostname(),
    memoryMb: megabytes(memory.total),
    memoryAvailableMb: megabytes(memory.available),
    os: await operatingSystem(),
    addresses: Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address }) => address),
  };
}

/** Megabytes free on the file system that a path is on, or will be on once it is made. */
export async function diskFreeMb(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return megabytes(bavail * bsize);
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return diskFreeMb(dirname(path));
    throw fileError(thrown, 'measure the free space at', path);
  }
}

/** os-release(5). */
async function operatingSystem(): Promise<MachineFacts['os']> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const { ID = 'linux', VERSION_ID = '' } = parseEnv(text);
  return { id: ID, version: VERSION_ID };
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}
