import { dirname, join } from 'node:path';
import { datastoreFiles } from './own-datastore-files.ts';
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
    readers: '`slipway status`; the daemon, which keeps the last ten changes',
    lost: '`slipway status` shows nothing until the next pass',
  },
  startStamp: {
    format: 1,
    place: ({ k3s }) => k3s.stamp,
    holds:
      'digests of the inputs of the running K3s: the files that K3s reads only when it starts; the ends of its certificates before that start',
    readers: 'the daemon',
    lost: 'a change of an input does not restart K3s, and Slipway goes by the time of the last start to tell whether that start renewed a certificate; the next start of K3s writes the file again',
  },
  startedWith: {
    format: 1,
    place: ({ k3s }) => k3s.startedWith,
    holds: "the cluster's settings at the first and the last start of K3s",
    readers: "the daemon; K3s's unit",
    lost: "Slipway compares the settings with K3s's configuration file instead: it still holds back a change of the settings, but does not notice a manual edit of that file",
  },
  publicRelease: {
    format: 1,
    place: ({ k3s }) => k3s.publicRelease,
    holds: 'on a server: the K3s release that it runs, and whether it rotates the join token',
    readers: 'nodes that have not joined yet, through the K3s of the server',
    lost: 'until the next pass, a new agent starts with the release that its settings want',
  },
  pullProof: {
    format: 1,
    place: ({ slipway }) => slipway.pullProof,
    holds: 'the digest of the tested credential of each registry, and the result of the test',
    readers: 'the daemon',
    lost: 'Slipway tests each credential again with a pull; until then, it may give kubelet a credential that the registry has refused',
  },
  logins: {
    format: 1,
    place: ({ slipway }) => slipway.logins,
    holds: 'the registry logins, with the times at which Slipway received them and at which they expire',
    readers:
      "the daemon; kubelet's credential provider; the command in K3s's unit that records each start, for the times of expiry",
    lost: 'Slipway fetches the logins again; until then, registries.yaml keeps the old logins',
  },
  providerSettings: {
    format: 1,
    place: ({ slipway }) => slipway.providerSettings,
    holds: 'the settings with which the provider fetches a credential itself',
    readers: "kubelet's credential provider",
    lost: 'until the next pass of the daemon, the provider uses only the logins in `logins.json`, and fetches no credential',
  },
  providerFailure: {
    format: 1,
    place: ({ slipway }) => `${slipway.providerLock}.*.failure`,
    holds: 'the failure of the last attempt to fetch a credential',
    readers:
      "each process of kubelet's credential provider that waited while another process fetched the same credential",
    lost: 'each waiting process tries to fetch the credential itself',
  },
  drain: {
    format: 1,
    place: ({ slipway }) => slipway.drain,
    holds: "the start of the drain in this node's turn, the refused evictions, and the end of the drain",
    readers: 'the daemon',
    lost: 'the time limit of the drain begins anew, and refused evictions are tried again',
  },
  partialDownload: {
    format: 1,
    place: ({ system }) => `${system.bin}/.*.slipway-part.json`,
    holds: 'the URL and the version of an unfinished download',
    readers: 'the next attempt to download the same file',
    lost: 'the download starts from the beginning',
  },
  turn: {
    format: 1,
    place: ({ slipway }) => slipway.turn,
    holds:
      'when the node first saw the grant of its turn, and for what K3s was last restarted without a turn',
    readers: 'the daemon',
    lost: 'the time in which the node may begin its turn starts anew, and a restart without a turn may be repeated once',
  },
  reboot: {
    format: 1,
    place: ({ slipway }) => slipway.reboot,
    holds:
      'the last reboot that Slipway has ordered: its cause, the boot that it was to end, and the causes of those before it within a day',
    readers: 'the daemon',
    lost: 'Slipway may reboot the machine once more for the same cause',
  },
  hold: {
    format: 1,
    place: ({ slipway }) => slipway.hold,
    holds: 'the reason that was given to `slipway hold`',
    readers: 'the daemon',
    lost: 'the node is no longer held; a damaged file holds the node',
  },
  ...datastoreFiles,
  upgrade: {
    format: 1,
    place: ({ slipway }) => slipway.upgrade,
    holds: 'the last upgrade of K3s: the releases, how far it is, and why it was given up',
    readers: 'the daemon',
    lost: 'an upgrade that has replaced the executable is neither verified nor undone, and a release that was given up is tried once more',
  },
  tokenRotation: {
    format: 1,
    place: ({ slipway }) => slipway.tokenRotation,
    holds:
      'on a server: the last rotation of the join token: the digests of both tokens and how far it is; until its end, also both tokens',
    readers: 'the daemon',
    lost: 'a rotation that K3s has begun stays unfinished: K3s may not start, and a person has to repair it with both tokens',
  },
  passwordsSaved: {
    format: 1,
    place: ({ slipway }) => slipway.passwordsSaved,
    holds: 'on a server with a token for agents: a digest of the tokens that K3s has saved in its datastore',
    readers: 'the daemon',
    lost: "Slipway assumes that K3s has saved the present tokens; if the agents' token had changed just before, the next start of K3s fails once, and Slipway repairs it",
  },
  channel: {
    format: 1,
    place: ({ slipway }) => slipway.channel,
    holds: 'the K3s release that the node takes from `k3s.channel`, and when the channel was asked',
    readers: 'the daemon',
    lost: 'a node that runs keeps its release, and asks the channel, or its server, again',
  },
  founding: {
    format: 1,
    place: ({ slipway }) => slipway.founding,
    holds:
      'on a server with embedded etcd: whether it founds or joins its cluster, which server it joins, and the text of its claim',
    readers: 'the daemon',
    lost: 'a server that has its cluster keeps what config.yaml says; a server that has not joined decides anew, and does not get its own claim again',
  },
  restore: {
    format: 1,
    place: ({ slipway }) => slipway.restore,
    holds:
      'the restore of the datastore that is under way: its copy, its start, and whether K3s is enabled afterwards',
    readers: 'the daemon, which leaves K3s alone while the file exists; `slipway restore`',
    lost: 'the daemon starts K3s, even in the middle of a restore; a damaged file still makes the daemon leave K3s alone',
  },
  job: {
    format: 1,
    place: ({ slipway }) => join(dirname(slipway.status), '*-{download,bootstrap,copy}.json'),
    holds: 'the name, the start and the process of a running download, bootstrap or copy',
    readers: 'the daemon; `slipway doctor`',
    lost: '`slipway doctor` does not show the job; the daemon continues the job',
  },
} as const satisfies Readonly<Record<string, OwnFile>>;
