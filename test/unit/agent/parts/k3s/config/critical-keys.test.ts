import { describe, expect, test } from 'vitest';
import { mismatches } from '../../../../../../src/agent/parts/k3s/config/critical-keys.ts';

/** The networks as Go renders them: net.IPNet has a mask in base64. */
const usual = {
  ClusterIPRanges: [{ IP: '10.42.0.0', Mask: '//8AAA==' }],
  ServiceIPRanges: [{ IP: '10.43.0.0', Mask: '//8AAA==' }],
  ClusterDNSs: ['10.43.0.10'],
  ClusterDomain: 'cluster.local',
  FlannelBackend: 'vxlan',
  EncryptSecrets: false,
  DisableServiceLB: false,
};

function found(
  own: Readonly<Record<string, readonly string[]>>,
  other: object,
  isIPv6 = false,
): readonly string[] {
  const config = JSON.stringify({ ...usual, ...other });
  return (mismatches(new Map(Object.entries(own)), config, { isIPv6 }) ?? []).map(
    (each) => `${each.flag}: ${each.own}, ${each.other}`,
  );
}

describe('mismatches', () => {
  test.each([
    ['nothing for defaults', {}, {}, []],
    ['a network', { 'cluster-cidr': ['10.52.0.0/16'] }, {}, ['cluster-cidr: 10.52.0.0/16, 10.42.0.0/16']],
    ['a domain', {}, { ClusterDomain: 'a.b' }, ['cluster-domain: cluster.local, a.b']],
    ['a switch', { 'secrets-encryption': ['true'] }, {}, ['secrets-encryption: true, false']],
    ['servicelb', { disable: ['traefik', 'servicelb'] }, {}, ['disable servicelb: true, false']],
    ['no other disabled part', { disable: ['traefik'] }, {}, []],
    [
      'no DNS address that follows from another network',
      { 'service-cidr': ['10.44.0.0/16'] },
      { ServiceIPRanges: [{ IP: '10.44.0.0', Mask: '//8AAA==' }], ClusterDNSs: ['10.44.0.10'] },
      [],
    ],
    [
      'no field that an older release lacks',
      { 'flannel-backend': ['host-gw'] },
      { FlannelBackend: undefined },
      [],
    ],
  ] as const)('returns %s', (_, own, other, expected) => {
    expect(found(own, other)).toEqual(expected);
  });

  test('compares no default of a network on a node with IPv6', () => {
    const other = { ClusterIPRanges: [{ IP: 'fd00:42::', Mask: '/////////wAAAAAAAAAAAA==' }] };
    expect(found({}, other, true)).toEqual([]);
    expect(found({ 'cluster-cidr': ['fd00:43::/56'] }, other, true)).toEqual([
      'cluster-cidr: fd00:43::/56, fd00:42::/56',
    ]);
  });

  test('returns undefined for an answer that is not a configuration', () => {
    expect(mismatches(new Map(), 'not JSON', { isIPv6: false })).toBeUndefined();
  });
});
