import { join } from 'node:path';

/** Returns the paths, below `root`, of the files and folders of Slipway, the system and K3s. */
export function nodePaths(root: string) {
  // Joins the root only once, since kubelet waits for these paths at every pull.
  const base = join(root, '/').slice(0, -1);
  const at = (path: string) => base + path;
  const etc = '/etc/rancher/k3s';
  const data = '/var/lib/rancher/k3s';
  return {
    root,
    slipway: {
      configLayers: [
        at('/usr/lib/slipway/config.d'),
        at('/etc/slipway/config.yaml'),
        at('/etc/slipway/config.d'),
      ],
      state: at('/var/lib/slipway'),
      joinToken: at('/var/lib/slipway/join-token'),
      status: at('/run/slipway/status.json'),
      lock: at('/run/slipway/lock'),
      /**
       * The lock that allows one install, uninstall or restore at a time. It is not the daemon's lock, because the
       * daemon runs, and holds its own lock, while `slipway install` upgrades it.
       */
      setupLock: at('/run/slipway/setup.lock'),
      /** The login of each registry, for kubelet and for registries.yaml. */
      logins: at('/var/lib/slipway/logins.json'),
      /** The cache from which older releases, without the login store, answered kubelet. */
      formerLogins: at('/run/slipway/registry-logins.json'),
      /** The settings with which kubelet's credential provider fetches a login that is missing or expired. */
      providerSettings: at('/var/lib/slipway/credential-provider.yaml'),
      providerLock: at('/run/slipway/credential-provider.lock'),
      /** The progress of the drain in this node's turn. */
      drain: at('/run/slipway/drain.json'),
      /** What the node remembers of its turns until the next boot. */
      turn: at('/run/slipway/turn.json'),
      /** The last reboot that Slipway has ordered. */
      reboot: at('/var/lib/slipway/reboot.json'),
      pullProof: at('/run/slipway/pull-proof.json'),
      /** The files that mark a running download of K3s or of the GitOps engine. */
      k3sDownload: at('/run/slipway/k3s-download.json'),
      gitopsDownload: at('/run/slipway/gitops-download.json'),
      /** The record of the last upgrade of K3s. */
      upgrade: at('/var/lib/slipway/upgrade.json'),
      /** The file that marks a running bootstrap of the GitOps engine, and the folder for its temporary files. */
      gitopsBootstrap: at('/run/slipway/gitops-bootstrap.json'),
      gitopsScratch: at('/var/lib/slipway/gitops-bootstrap'),
      /** The K3s release that this node takes from a channel. */
      channel: at('/var/lib/slipway/channel.json'),
      /** The folder of the proven copies of the datastore, and the file that marks a running copy. */
      backup: at('/var/lib/slipway/backup'),
      datastoreCopy: at('/run/slipway/datastore-copy.json'),
      /** The record of the backups, and the folder for the files of the backup that is under way. */
      backups: at('/var/lib/slipway/backups.json'),
      outgoing: at('/var/lib/slipway/outgoing'),
      /** The folder of the backups that `slipway restore` has fetched. */
      fetched: at('/var/lib/slipway/fetched'),
      /** The file that marks a running step of a backup after its copy. */
      backupWork: at('/run/slipway/backup-work.json'),
      /** The request of `slipway backup`, beside the settings, so that the daemon notices it at once. */
      backupRequest: at('/etc/slipway/backup-request.json'),
      /**
       * The record of the last rotation of the join token, on a server; contains both tokens until the rotation has
       * ended.
       */
      tokenRotation: at('/var/lib/slipway/token-rotation.json'),
      /** The digest of the tokens that K3s has saved in its datastore, on a server with a token for agents. */
      passwordsSaved: at('/var/lib/slipway/passwords-saved.json'),
      /** How a server with embedded etcd came to its cluster. */
      founding: at('/var/lib/slipway/founding.json'),
      /** The file that exists while `slipway restore` replaces the datastore. */
      restore: at('/var/lib/slipway/restore.json'),
      imdsGuard: at('/var/lib/slipway/imds-guard.nft'),
      nat: at('/etc/slipway/nat.nft'),
      /** The hold of `slipway hold`, beside the settings, so that the daemon notices a change at once. */
      hold: at('/etc/slipway/hold.json'),
      /** The directory of the daemon's credentials, which exists while the daemon runs. */
      credentials: at('/run/credentials/slipway.service'),
    },
    system: {
      modules: at('/etc/modules-load.d/slipway-k3s.conf'),
      sysctl: at('/etc/sysctl.d/90-slipway-k3s.conf'),
      /** The kernel setting for NAT; its name sorts after the files of hardening guides, which turn forwarding off. */
      natSysctl: at('/etc/sysctl.d/99-z-slipway-nat.conf'),
      units: at('/etc/systemd/system'),
      bin: at('/usr/local/bin'),
      /** The folder with the settings of apt. */
      aptConfig: at('/etc/apt/apt.conf.d'),
      /** The files with which Debian and Ubuntu, and SUSE, ask for a reboot; a reboot removes them. */
      rebootRequired: at('/run/reboot-required'),
      rebootPackages: at('/run/reboot-required.pkgs'),
      rebootNeeded: at('/run/reboot-needed'),
      /** The file with the name of the cloud that cloud-init detected at this boot. */
      cloudId: at('/run/cloud-init/cloud-id'),
      /** The folder with the DMI strings of the firmware. */
      dmi: at('/sys/class/dmi/id'),
      /** A kernel file that exists only while SELinux is on. */
      selinux: at('/sys/fs/selinux/enforce'),
    },
    k3s: {
      binary: at('/usr/local/bin/k3s'),
      /**
       * The next executable, which waits for the node's turn, and the previous one. They are beside the executable, in
       * the same file system, which is never mounted noexec.
       */
      next: at('/usr/local/bin/.k3s.next'),
      previous: at('/usr/local/bin/.k3s.previous'),
      config: at(`${etc}/config.yaml`),
      /** The endpoint of an external datastore; its name sorts before most drop-ins of operators. */
      datastoreEndpoint: at(`${etc}/config.yaml.d/10-slipway-datastore.yaml`),
      registries: at(`${etc}/registries.yaml`),
      kubeconfig: at(`${etc}/k3s.yaml`),
      data: at(data),
      /** The record of the cluster's settings at the first and the last start of a server, inside K3s's data. */
      startedWith: at(`${data}/slipway-started-with.json`),
      /** The record of the K3s release that was started last. */
      lastVersion: at(`${data}/slipway-last-version`),
      serverToken: at(`${data}/server/token`),
      /** The file from which new agents learn the release of this server; K3s serves its folder to everybody. */
      publicRelease: at(`${data}/server/static/slipway/release.json`),
      /** The folder of the datastore on a server: SQLite's state.db, or embedded etcd. */
      datastore: at(`${data}/server/db`),
      /** The CA certificate of the cluster, on a server. */
      serverCa: at(`${data}/server/tls/server-ca.crt`),
      serverTls: at(`${data}/server/tls`),
      agent: at(`${data}/agent`),
      agentServerCa: at(`${data}/agent/server-ca.crt`),
      kubeletCertificate: at(`${data}/agent/serving-kubelet.crt`),
      kubeletKubeconfig: at(`${data}/agent/kubelet.kubeconfig`),
      credentialProvider: at('/var/lib/rancher/credentialprovider/config.yaml'),
      credentialProviderBin: at('/var/lib/rancher/credentialprovider/bin'),
      stamp: at('/run/slipway-k3s/stamp.json'),
    },
  } as const;
}

export type NodePaths = ReturnType<typeof nodePaths>;

/** Returns every path in `paths` except the root itself. */
export function allPlaces({ root: _, ...groups }: NodePaths): readonly string[] {
  return Object.values(groups).flatMap((group) => Object.values(group).flat());
}
