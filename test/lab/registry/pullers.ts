/** Ways to pull an image with a credential, every byte of it each time. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Finished, runProgram } from '../processes.ts';
import type { Containerd } from './containerd.ts';

export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** Pulls once; without a credential as nobody. */
export type Pull = (image: string, credential?: Credential) => Promise<Finished>;

export interface Skopeo {
  readonly pull: Pull;
  /** Pulls the image, and pushes it under another name. */
  push(image: string, to: string, credential: Credential): Promise<Finished>;
}

/** Copies into folders that are removed at once, so that nothing is ever there already. */
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
        if (exitCode !== 0) throw new Error(`There is nothing to push: ${stderr}`);
        return copy('--dest-creds', pair(credential), `dir:${folder}`, `docker://${to}`);
      }),
  };
}

/** Pulls and unpacks, then removes the image and all that belongs to it. */
export function pullByContainerd({ ctr }: Containerd): Pull {
  return async (image, credential) => {
    const user = credential ? ['--user', pair(credential)] : [];
    const pulled = await ctr('images', 'pull', '--snapshotter', 'native', ...user, image);
    const removed = await ctr('images', 'rm', '--sync', image);
    return pulled.exitCode === 0 ? removed : pulled;
  };
}

/** What one way to pull did until it was stopped. */
export interface Tally {
  readonly pulls: number;
  /** What was said where a pull failed. */
  readonly failures: readonly string[];
  /** The passwords with which something was pulled. */
  readonly used: ReadonlySet<string>;
}

/** Between two pulls, in milliseconds: on a small machine the node must get its turn, too. */
const pause = 300;

/** Pulls again and again, each time with the credential that is right then. */
export async function pullUntil(
  signal: AbortSignal,
  pull: (credential: Credential) => Promise<Finished>,
  currentCredential: () => Promise<Credential>,
): Promise<Tally> {
  const failures: string[] = [];
  const used = new Set<string>();
  let pulls = 0;
  for (; !signal.aborted; await sleep(pause)) {
    pulls += 1;
    try {
      const credential = await currentCredential();
      const { exitCode, stderr } = await pull(credential);
      if (exitCode !== 0) throw new Error(stderr);
      used.add(credential.password);
    } catch (thrown) {
      failures.push(String(thrown));
    }
  }
  return { pulls, failures, used };
}

function pair({ username, password }: Credential): string {
  return `${username}:${password}`;
}
