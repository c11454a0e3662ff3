import * as z from 'zod/mini';
import { parseJson } from '../../../engine/json.ts';
import type { Flags } from '../flags/flags.ts';

/** A network as Go renders net.IPNet. */
const network = z.object({ IP: z.string(), Mask: z.string() });
const shown = z.union([z.boolean(), z.string(), z.array(z.union([z.string(), network])), network, z.null()]);

interface CriticalKey {
  readonly flag: string;
  /** The field of GET /v1-k3s/config. */
  readonly field: string;
  /** The default of K3s. */
  readonly usual: string;
}

function yes(flag: string, field: string): CriticalKey {
  return { flag, field, usual: 'false' };
}

/**
 * The keys that all servers of a cluster must share (pkg/daemons/config/types.go, CriticalControlArgs). K3s compares
 * them only when a server joins (pkg/cluster/bootstrap.go, compareConfig).
 */
const criticalKeys: readonly CriticalKey[] = [
  { flag: 'cluster-cidr', field: 'ClusterIPRanges', usual: '10.42.0.0/16' },
  { flag: 'service-cidr', field: 'ServiceIPRanges', usual: '10.43.0.0/16' },
  { flag: 'cluster-dns', field: 'ClusterDNSs', usual: '10.43.0.10' },
  { flag: 'cluster-domain', field: 'ClusterDomain', usual: 'cluster.local' },
  { flag: 'flannel-backend', field: 'FlannelBackend', usual: 'vxlan' },
  { flag: 'egress-selector-mode', field: 'EgressSelectorMode', usual: 'agent' },
  { flag: 'secrets-encryption-provider', field: 'EncryptProvider', usual: 'aescbc' },
  yes('secrets-encryption', 'EncryptSecrets'),
  yes('disable-cloud-controller', 'DisableCCM'),
  yes('disable-helm-controller', 'DisableHelmController'),
  yes('disable-network-policy', 'DisableNPC'),
  yes('embedded-registry', 'EmbeddedRegistry'),
  yes('flannel-ipv6-masq', 'FlannelIPv6Masq'),
  yes('flannel-external-ip', 'FlannelExternalIP'),
  yes('supervisor-metrics', 'SupervisorMetrics'),
];

/** A critical key whose value differs between this server and another one. */
export interface Mismatch {
  readonly flag: string;
  readonly own: string;
  readonly other: string;
}

/**
 * Returns the critical keys whose values differ between the flags of this server and the configuration that another
 * server shows; `undefined` if that is not a configuration. Compares a network without a value on either side only if
 * this node has IPv4, since the defaults of K3s depend on the address of the node.
 */
export function mismatches(
  own: Flags,
  config: string,
  { isIPv6 }: { readonly isIPv6: boolean },
): readonly Mismatch[] | undefined {
  const theirs = parseJson(z.looseObject({}), config);
  if (theirs === undefined) {
    return undefined;
  }
  const servicelb = { flag: 'disable', field: 'DisableServiceLB', usual: 'false' };
  const ownOf = ({ flag, usual }: CriticalKey) =>
    own.get(flag)?.join(',') ?? (isNetwork(flag) && (isIPv6 || hasOtherNetworks(own)) ? undefined : usual);
  const disablesLb = String(own.get('disable')?.includes('servicelb') ?? false);
  return [...criticalKeys, servicelb].flatMap((key) => {
    const mine = key === servicelb ? disablesLb : ownOf(key);
    const other = textOf(theirs[key.field]);
    const isSame = mine === undefined || other === undefined || mine === other;
    return isSame ? [] : [{ flag: key === servicelb ? 'disable servicelb' : key.flag, own: mine, other }];
  });
}

function isNetwork(flag: string): boolean {
  return ['cluster-cidr', 'service-cidr', 'cluster-dns'].includes(flag);
}

/** True if the address of the DNS follows from a service-cidr of the settings. */
function hasOtherNetworks(own: Flags): boolean {
  return own.has('service-cidr') || own.has('cluster-cidr');
}

/** Returns a value of the configuration as a flag has it; `undefined` if an older release does not show it. */
function textOf(value: unknown): string | undefined {
  const { success, data } = z.safeParse(shown, value);
  if (!success || data === null) {
    return undefined;
  }
  return Array.isArray(data) ? data.map(wordOf).join(',') : wordOf(data);
}

function wordOf(value: boolean | string | z.output<typeof network>): string {
  return typeof value === 'object' ? `${value.IP}/${prefixOf(value.Mask)}` : String(value);
}

/** Returns the length of the prefix of a mask, which Go renders in base64. */
function prefixOf(mask: string): number {
  const bits = [...Buffer.from(mask, 'base64')].map((byte) => byte.toString(2).replaceAll('0', '').length);
  return bits.reduce((sum, each) => sum + each, 0);
}
