/** Functions that pull an image with a credential. Each pull transfers every byte, because no copy is kept. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, runProgram } from '../processes.ts';
import type { Containerd } from './containerd.ts';

export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** A function that pulls an image once; without a credential, the pull is anonymous. */
export type Pull = (image: string, credential?: Credential) => Promise<Finished>;

export interface Skopeo {
  readonly pull: Pull;
  /**
   * Pulls the image and pushes it as `to`, both with the credential. Resolves to the result of the push; rejects if the
   * pull fails.
   */
  push(image: string, to: string, credential: Credential): Promise<Finished>;
}

/** Returns functions that pull and push with skopeo. Each call uses and removes a new folder, so no copy is reused. */
export function skopeo(dir: string, network: Readonly<Record<string, string>>): Skopeo {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: dir, ...network };
  let copies = 0;
  mkdirSync(dir, { recursive: true });

  function copy(...args: readonly string[]): Promise<Finished> {
    return runProgram('skopeo', ['--insecure-policy', 'copy', ...args], env);
  }

  function pullTo(folder: string, image: string, credential?: Credential): Promise<Finished> {
    const as = credential ? ['--src-creds', pair(credential)] : ['--src-no-creds'];
    return copy(...as, `docker://${image}`, `dir:${folder}`);
  }

  async function inFolder(work: (folder: string) => Promise<Finished>): Promise<Finished> {
    copies += 1;
    const folder = join(dir, `copy-${copies}`);
    try {
      return await work(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  return {
    pull: (image, credential) => inFolder((folder) => pullTo(folder, image, credential)),
    push: (image, to, credential) =>
      inFolder(async (folder) => {
        const { exitCode, stderr } = await pullTo(folder, image, credential);
        if (exitCode !== 0) {
          throw new Error(`There is nothing to push: ${stderr}`);
        }
        return copy('--dest-creds', pair(credential), `dir:${folder}`, `docker://${to}`);
      }),
  };
}

/** Returns a function that pulls and unpacks an image with containerd, then removes the image and its content. */
export function pullByContainerd({ ctr }: Containerd): Pull {
  return async (image, credential) => {
    const user = credential ? ['--user', pair(credential)] : [];
    const pulled = await ctr('images', 'pull', '--snapshotter', 'native', ...user, image);
    const removed = await ctr('images', 'rm', '--sync', image);
    return pulled.exitCode === 0 ? removed : pulled;
  };
}

/** The results of the pulls with one client and one source of credentials. */
export interface Tally {
  readonly pulls: number;
  /** The errors of failed pulls. */
  readonly failures: readonly string[];
  /** The passwords of successful pulls. */
  readonly used: ReadonlySet<string>;
}

/** A client that pulls, and the source of its credentials. */
export interface Way {
  readonly pull: (credential: Credential) => Promise<Finished>;
  readonly credential: () => Promise<Credential>;
}

/**
 * Pulls with one of `ways` at a time, which leaves CPU time for the node on a small machine; resolves to the results,
 * by name. Stops once `signal` is aborted and each way has either failed or pulled with at least `passwords` different
 * passwords. A slow machine misses some passwords, and therefore pulls for longer.
 */
export async function pullInTurn<Name extends string>(
  signal: AbortSignal,
  ways: Readonly<Record<Name, Way>>,
  passwords: number,
): Promise<ReadonlyMap<string, Tally>> {
  const tallies = new Map<string, Tally>();
  const isOver = ({ failures, used }: Tally) => failures.length > 0 || used.size >= passwords;
  while (!signal.aborted || ![...tallies.values()].every(isOver)) {
    for (const [name, way] of Object.entries<Way>(ways)) {
      tallies.set(name, await pullOnce(way, tallies.get(name)));
    }
  }
  return tallies;
}

const nothingYet: Tally = { pulls: 0, failures: [], used: new Set() };

async function pullOnce(
  { pull, credential }: Way,
  { pulls, failures, used }: Tally = nothingYet,
): Promise<Tally> {
  try {
    const current = await credential();
    const { exitCode, stderr } = await pull(current);
    if (exitCode !== 0) {
      throw new Error(stderr);
    }
    return { pulls: pulls + 1, failures, used: new Set([...used, current.password]) };
  } catch (thrown) {
    return { pulls: pulls + 1, failures: [...failures, String(thrown)], used };
  }
}

function pair({ username, password }: Credential): string {
  return `${username}:${password}`;
}
