import { isIPv6 } from 'node:net';
import { mapAt, type Problem } from './path.ts';
import type { Written } from './section.ts';

/** The keys of K3s for the cluster's networks and addresses. Their defaults are IPv4. */
const ranges = ['cluster-cidr', 'service-cidr', 'cluster-dns'] as const;

/**
 * Lists a problem for each key in `k3s.config` that would make the cluster dual-stack, since a Slipway node has only
 * one address.
 */
export function dualStack({ config }: Written): readonly Problem[] {
  return dualRanges(mapAt(config, [])).map((key) => ({ path: ['config', key], message: noDualStack }));
}

/**
 * Lists a problem if the address family of the node differs from that of the cluster's networks, because K3s would
 * exit. Lists none for a dual-stack cluster, which `dualStack` reports.
 */
export function foreignFamily({ ip }: Written, settings: Written): readonly Problem[] {
  const config = mapAt(settings, ['k3s', 'config']);
  const [[family], [own]] = [familiesOf(config['cluster-cidr']), familiesOf(ip)];
  if (family === undefined || own === undefined || own === family) {
    return [];
  }
  const message = `is IPv${own}, and k3s.config.cluster-cidr IPv${family}; give both of one family`;
  return dualRanges(config).length > 0 ? [] : [{ path: ['ip'], message }];
}

function dualRanges(config: Written): readonly string[] {
  return ranges.filter((key) => familiesOf(config[key]).length > 1);
}

const noDualStack =
  'names IPv4 and IPv6: dual stack is not supported, since a node of Slipway has one address; keep the range of one family';

function familiesOf(value: unknown): readonly (4 | 6)[] {
  const parts = [value ?? []].flat().flatMap((each) => String(each).split(','));
  const families = parts.map((part) => part.trim().split('/')[0] ?? '').filter((part) => part !== '');
  return [...new Set(families.map((address) => (isIPv6(address) ? 6 : 4)))];
}
