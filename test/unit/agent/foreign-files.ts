import { nodePaths } from '../../../src/agent/paths.ts';

const { system, k3s, slipway } = nodePaths('/');

/**
 * The files without a format number that Slipway writes, each with the reason why it needs no number. A key that ends
 * with `/` is a folder.
 */
export const foreignFiles: Readonly<Record<string, string>> = {
  [system.modules]: 'systemd-modules-load reads it',
  [system.sysctl]: 'systemd-sysctl reads it',
  [system.natSysctl]: 'systemd-sysctl reads it',
  [`${system.units}/`]: 'systemd reads them',
  [`${system.bin}/`]: 'programs, links to them, and scripts',
  [k3s.config]: 'K3s reads it',
  [k3s.datastoreEndpoint]: 'K3s reads it',
  [k3s.registries]: 'K3s reads it',
  [k3s.credentialProvider]: 'kubelet reads it',
  [`${k3s.credentialProviderBin}/`]: 'kubelet runs it',
  [slipway.joinToken]: 'K3s reads it',
  '/var/lib/slipway/agent-token': 'K3s reads it',
  [slipway.imdsGuard]: 'nft reads it',
  [slipway.nat]: 'nft reads it',
  [`${slipway.backup}/`]: 'K3s reads the copies of its datastore; each manifest has a number',
  [`${slipway.outgoing}/`]: 'the next step of a backup reads them, after it compared their size',
  [`${slipway.fetched}/`]: 'K3s reads the datastore of a fetched backup; each manifest has a number',
  [slipway.lock]: 'one line, which 0.1.0 reads: process id and start time',
  [`${slipway.lock}.held`]: 'empty: the kernel keeps the lock',
  [slipway.providerLock]: 'one line, which 0.1.0 reads: process id and start time',
  [k3s.lastVersion]: 'one line, which 0.1.0 reads: the name of a release of K3s',
};

/** True if `foreignFiles` contains the path or a folder above it. */
export function isForeign(path: string): boolean {
  return Object.keys(foreignFiles).some((each) =>
    each.endsWith('/') ? path.startsWith(each) : path === each,
  );
}
