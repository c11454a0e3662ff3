import { isIPv6 } from 'node:net';
import { mapAt } from './path.ts';
import type { Problem } from './problem.ts';

/** Keys of K3s that take networks or addresses of the cluster, IPv4 unless given. */
const ranges = ['cluster-cidr', 'service-cidr', 'cluster-dns'] as const;

/**
 * Returns what would make a dual-stack cluster, or mix the families of node and cluster: a node of Slipway has one address,
 * and K3s ends if that is of another family than its networks.
 */
export function addressFamilyMisfits(written: unknown): readonly Problem[] {
  const config = mapAt(written, ['k3s', 'config']);
  const { ip } = mapAt(written, ['node']);
  const dual = ranges.filter((key) => familiesOf(config[key]).length > 1);
  if (dual.length > 0) return dual.map((key) => ({ path: ['k3s', 'config', key], message: noDualStack }));
  const [[family], [own]] = [familiesOf(config['cluster-cidr']), familiesOf(ip)];
  if (family === undefined || own === undefined || own === family) return [];
  return [
    {
      path: ['node', 'ip'],
      message: `is IPv${own}, and k3s.config.cluster-cidr IPv${family}; give both of one family`,
    },
  ];
}

const noDualStack =
  'names IPv4 and IPv6: dual stack is not supported, since a node of Slipway has one address; keep the range of one family';

function familiesOf(value: unknown): readonly (4 | 6)[] {
  const parts = [value ?? []].flat().flatMap((each) => String(each).split(','));
  const families = parts.map((part) => part.trim().split('/')[0] ?? '').filter((part) => part !== '');
  return [...new Set(families.map((address) => (isIPv6(address) ? 6 : 4)))];
}
