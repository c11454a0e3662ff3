import { dirname, join } from 'node:path';
import type { NodePaths } from './paths.ts';

/** A file that one process of Slipway writes and another reads, possibly of an older or newer release. */
export interface OwnFile {
  /**
   * The number in the first field of the file (engine/own-file.ts); docs/adr/0031-formats.md states when to increase
   * it.
   */
  readonly format: number;
  /** Returns the path of the file; `*` replaces a name. */
  readonly place: (paths: NodePaths) => string;
  /** The content of the file, in words. */
  readonly holds: string;
  readonly readers: string;
  /** The effect of a file that is missing, damaged, or unreadable since a newer release wrote it. */
  readonly lost: string;
}

/**
 * Every file that Slipway writes and reads back; docs/usage/files.md is generated from this table. Omits files in the
 * formats of other programs, such as units and K3s's configuration.
 */
export const ownFiles = {
  status: {
    format: 1,
    place: ({ slipway }) => slipway.status,
    holds: 'what the last pass found',
    readers: '`slipway status`; the daemon, for the last ten changes',
    lost: '`slipway status` shows nothing until the next pass',
  },
  startStamp: {
    format: 1,
    place: ({ k3s }) => k3s.stamp,
    holds: 'digests of what the running K3s was started with',
    readers: 'the daemon',
    lost: 'K3s is not restarted for a change until its next start, which writes it anew',
  },
  startedWith: {
    format: 1,
    place: ({ k3s }) => k3s.startedWith,
    holds: 'the settings of a cluster at the first and the last start of K3s',
    readers: "the daemon; K3s's unit",
    lost: "K3s's configuration is used in its place: a change of the settings is still held back; one made by hand in K3s's files is not noticed",
  },
  pullProof: {
    format: 1,
    place: ({ slipway }) => slipway.pullProof,
    holds: 'which credential of a registry was proven, and the result',
    readers: 'the daemon',
    lost: 'each credential is proven again by a pull; a refused one is handed out until then',
  },
  logins: {
    format: 1,
    place: ({ slipway }) => slipway.logins,
    holds: 'the logins of registries, each with its receipt and its end',
    readers: "the daemon; kubelet's credential provider; K3s's unit, for their ends",
    lost: 'they are fetched anew; until then registries.yaml keeps its logins',
  },
  providerSettings: {
    format: 1,
    place: ({ slipway }) => slipway.providerSettings,
    holds: 'the settings with which a credential is fetched',
    readers: "kubelet's credential provider",
    lost: 'the provider answers from the store alone until the next pass of the daemon',
  },
  providerFailure: {
    format: 1,
    place: ({ slipway }) => `${slipway.providerLock}.*.failure`,
    holds: 'how the last fetch of a credential failed',
    readers: "kubelet's credential provider, while others wait for the same fetch",
    lost: 'each waiting process fetches for itself',
  },
  partialDownload: {
    format: 1,
    place: ({ system }) => `${system.bin}/.*.slipway-part.json`,
    holds: 'where a download under way comes from, and which version of it',
    readers: 'the next attempt',
    lost: 'the download starts from the beginning',
  },
  job: {
    format: 1,
    place: ({ slipway }) => join(dirname(slipway.status), '*-download.json'),
    holds: 'that a download is under way, since when, and in which process',
    readers: 'the daemon; `slipway doctor`',
    lost: '`slipway doctor` does not show it; the daemon goes on with it',
  },
} as const satisfies Readonly<Record<string, OwnFile>>;
