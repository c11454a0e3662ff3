import { dirname, join } from 'node:path';
import type { NodePaths } from './paths.ts';

/** A file that Slipway writes and reads back, possibly in another process of an older or newer release. */
export interface OwnFile {
  /**
   * The number in the first field of the file (engine/own-file.ts); docs/adr/0031-formats.md states when to increase
   * it.
   */
  readonly format: number;
  /** Returns the path of the file; `*` stands for a name. */
  readonly place: (paths: NodePaths) => string;
  /** The content of the file, in words. */
  readonly holds: string;
  readonly readers: string;
  /** The effect if the file is missing, damaged, or unreadable because a newer release wrote it. */
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
    holds: 'the results of the last pass',
    readers: '`slipway status`; the daemon, for the last ten changes',
    lost: '`slipway status` shows nothing until the next pass',
  },
  startStamp: {
    format: 1,
    place: ({ k3s }) => k3s.stamp,
    holds: 'digests of the inputs of the running K3s',
    readers: 'the daemon',
    lost: 'a change of an input does not restart K3s; the next start of K3s writes the file again',
  },
  startedWith: {
    format: 1,
    place: ({ k3s }) => k3s.startedWith,
    holds: 'the settings of a cluster at the first and the last start of K3s',
    readers: "the daemon; K3s's unit",
    lost: "Slipway uses K3s's configuration instead: Slipway still holds back a change of the settings, but does not notice a manual change of K3s's files",
  },
  pullProof: {
    format: 1,
    place: ({ slipway }) => slipway.pullProof,
    holds: 'the digest of the tested credential of each registry, and the result',
    readers: 'the daemon',
    lost: 'each credential is tested again by a pull; until then, Slipway may give kubelet a refused one',
  },
  logins: {
    format: 1,
    place: ({ slipway }) => slipway.logins,
    holds: 'the logins of registries, with the times of receipt and expiry',
    readers: "the daemon; kubelet's credential provider; K3s's unit, for the times of expiry",
    lost: 'the logins are fetched again; until then registries.yaml keeps the old ones',
  },
  providerSettings: {
    format: 1,
    place: ({ slipway }) => slipway.providerSettings,
    holds: 'the settings for fetching a credential',
    readers: "kubelet's credential provider",
    lost: 'the provider answers only from the store until the next pass of the daemon',
  },
  providerFailure: {
    format: 1,
    place: ({ slipway }) => `${slipway.providerLock}.*.failure`,
    holds: 'the failure of the last attempt to fetch a credential',
    readers: "kubelet's credential provider, while others wait for the same fetch",
    lost: 'each waiting process fetches a credential itself',
  },
  partialDownload: {
    format: 1,
    place: ({ system }) => `${system.bin}/.*.slipway-part.json`,
    holds: 'the source of a running download, and its version',
    readers: 'the next attempt',
    lost: 'the download starts from the beginning',
  },
  job: {
    format: 1,
    place: ({ slipway }) => join(dirname(slipway.status), '*-{download,bootstrap}.json'),
    holds: 'the name, the start and the process of a running download or bootstrap',
    readers: 'the daemon; `slipway doctor`',
    lost: '`slipway doctor` does not show the job; the daemon continues it',
  },
} as const satisfies Readonly<Record<string, OwnFile>>;
