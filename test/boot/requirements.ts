/** The requirements for booting hosts on this machine: root, and programs from Debian packages. */
import { isInstalled } from '../../packaging/run.ts';

/** The required programs, by the name of their Debian package. */
const packages: Readonly<Record<string, readonly string[]>> = {
  'systemd-container': ['systemd-nspawn'],
  systemd: ['journalctl'],
  mmdebstrap: ['mmdebstrap'],
  'dnsmasq-base': ['dnsmasq'],
  'docker-registry': ['docker-registry'],
  skopeo: ['skopeo'],
  iproute2: ['ip', 'bridge'],
  iptables: ['iptables'],
  nftables: ['nft'],
  'util-linux': ['unshare', 'nsenter', 'mount'],
};

/** Returns sentences that name the missing requirements and their remedies; empty if this machine can boot hosts. */
export function missing(): readonly string[] {
  const root = process.getuid?.() === 0 ? [] : ['Booting hosts needs root: sudo npm run test:boot.'];
  const absent = Object.keys(packages).filter((name) => !packages[name]?.every(isInstalled));
  return absent.length === 0
    ? root
    : [...root, `Install what is missing: apt-get install ${absent.join(' ')}.`];
}
