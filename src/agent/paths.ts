import { join } from 'node:path';

/** Returns every path on a node that Slipway writes or reads, below `root`. */
export function nodePaths(root: string) {
  // One join for all: kubelet waits for these at every pull.
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
      /** One install or uninstall at a time; an upgrade runs while the daemon holds its own lock. */
      setupLock: at('/run/slipway/setup.lock'),
      /** The login of each registry: kubelet is answered from it, and registries.yaml is made of it. */
      logins: at('/var/lib/slipway/logins.json'),
      /** The cache that kubelet was answered from before there was a store. */
      formerLogins: at('/run/slipway/registry-logins.json'),
      /** What kubelet's credential provider needs if a login is missing or old. */
      providerSettings: at('/var/lib/slipway/credential-provider.yaml'),
      providerLock: at('/run/slipway/credential-provider.lock'),
      pullProof: at('/run/slipway/pull-proof.json'),
      /** The events for the cluster; exists only while a kubectl reads it. */
      events: at('/run/slipway/events.json'),
      /** These exist while the executable of K3s, or of the GitOps engine, is downloaded. */
      k3sDownload: at('/run/slipway/k3s-download.json'),
      gitopsDownload: at('/run/slipway/gitops-download.json'),
      imdsGuard: at('/var/lib/slipway/imds-guard.nft'),
    },
    system: {
      modules: at('/etc/modules-load.d/slipway-k3s.conf'),
      sysctl: at('/etc/sysctl.d/90-slipway-k3s.conf'),
      units: at('/etc/systemd/system'),
      bin: at('/usr/local/bin'),
    },
    k3s: {
      binary: at('/usr/local/bin/k3s'),
      config: at(`${etc}/config.yaml`),
      registries: at(`${etc}/registries.yaml`),
      kubeconfig: at(`${etc}/k3s.yaml`),
      data: at(data),
      /** The note of what a server was started with, in K3s' own data. */
      startedWith: at(`${data}/slipway-started-with.json`),
      /** The note of the release that was last started. */
      lastVersion: at(`${data}/slipway-last-version`),
      serverToken: at(`${data}/server/token`),
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

/** Returns every path in `paths`, without the root. */
export function allPlaces({ root: _, ...groups }: NodePaths): readonly string[] {
  return Object.values(groups).flatMap((group) => Object.values(group).flat());
}
