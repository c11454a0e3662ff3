/** What booting hosts needs of this machine: root, and programs of Debian's packages. */
import { isInstalled } from '../../packaging/run.ts';

/** Programs, by the Debian package that has them. */
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

/** What is missing, as sentences that say what to do; empty where hosts can be booted. */
export function missing(): readonly string[] {
  const root = process.getuid?.() === 0 ? [] : ['Booting hosts needs root: sudo npm run test:boot.'];
  const absent = Object.keys(packages).filter((name) => !packages[name]?.every(isInstalled));
  return absent.length === 0
    ? root
    : [...root, `Install what is missing: apt-get install ${absent.join(' ')}.`];
}
