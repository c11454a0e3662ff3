/**
 * The settings that all servers of a cluster must share.
 *
 * Models pkg/daemons/config/types.go (CriticalControlArgs, whose fields GET /v1-k3s/config shows) and
 * pkg/cluster/bootstrap.go (compareConfig: only a joining server compares, and names each flag that differs). As in
 * K3s, `disable` counts only for servicelb.
 */
import type { K3sOptions } from './k3s-flags.ts';

type Value = string | boolean | readonly string[];

interface Argument {
  readonly flag: string;
  readonly field: string;
  readonly of: (options: K3sOptions) => Value;
}

const yes = (flag: string, field: string): Argument => ({ flag, field, of: (options) => options.yes(flag) });
const text = (flag: string, field: string, otherwise: string): Argument => ({
  flag,
  field,
  of: (options) => options.text(flag) ?? otherwise,
});
const list = (flag: string, field: string, otherwise: string): Argument => ({
  flag,
  field,
  of: (options) => (options.list(flag).length > 0 ? options.list(flag) : [otherwise]),
});

const criticalArguments: readonly Argument[] = [
  list('cluster-dns', 'ClusterDNSs', '10.43.0.10'),
  list('cluster-cidr', 'ClusterIPRanges', '10.42.0.0/16'),
  text('cluster-domain', 'ClusterDomain', 'cluster.local'),
  yes('disable-cloud-controller', 'DisableCCM'),
  yes('disable-helm-controller', 'DisableHelmController'),
  yes('disable-network-policy', 'DisableNPC'),
  {
    flag: 'disable-service-lb',
    field: 'DisableServiceLB',
    of: (options) => options.list('disable').includes('servicelb'),
  },
  yes('secrets-encryption', 'EncryptSecrets'),
  text('secrets-encryption-provider', 'EncryptProvider', 'aescbc'),
  yes('embedded-registry', 'EmbeddedRegistry'),
  text('flannel-backend', 'FlannelBackend', 'vxlan'),
  yes('flannel-ipv6-masq', 'FlannelIPv6Masq'),
  yes('flannel-external-ip', 'FlannelExternalIP'),
  text('egress-selector-mode', 'EgressSelectorMode', 'agent'),
  list('service-cidr', 'ServiceIPRanges', '10.43.0.0/16'),
  yes('supervisor-metrics', 'SupervisorMetrics'),
];

/** Returns what GET /v1-k3s/config shows of a server's settings. */
export function configOf(options: K3sOptions): Readonly<Record<string, Value>> {
  const shared = Object.fromEntries(criticalArguments.map(({ field, of }) => [field, of(options)]));
  return { ...shared, ClusterIPRange: String(Object(shared.ClusterIPRanges)[0]) };
}

/** Returns the flags whose values differ from the configuration of another server. */
export function mismatched(
  options: K3sOptions,
  config: Readonly<Record<string, unknown>>,
): readonly string[] {
  return criticalArguments
    .filter(({ field, of }) => JSON.stringify(of(options)) !== JSON.stringify(config[field] ?? of(options)))
    .map(({ flag }) => flag);
}
