import { expect, test } from 'vitest';
import { misfits } from '../../../../src/agent/settings/rules.ts';

test.each<readonly [string, object, string | undefined, RegExp]>([
  ['accepts empty settings', {}, undefined, /^$/],
  [
    'accepts an IPv4 node in an IPv4 cluster',
    { k3s: { config: { 'cluster-cidr': '10.99.0.0/16' } }, node: { ip: '10.0.0.4' } },
    undefined,
    /^$/,
  ],
  [
    'accepts an IPv6 node in an IPv6 cluster',
    { k3s: { config: { 'cluster-cidr': 'fd00::/56' } }, node: { ip: 'fd01::4' } },
    undefined,
    /^$/,
  ],
  [
    'rejects dual-stack ranges in one string',
    { k3s: { config: { 'cluster-cidr': '10.99.0.0/16, fd00::/56' } } },
    'k3s.config.cluster-cidr',
    /dual stack is not supported/,
  ],
  [
    'rejects dual-stack ranges in a list',
    { k3s: { config: { 'service-cidr': ['10.99.0.0/16', 'fd00::/112'] } } },
    'k3s.config.service-cidr',
    /dual stack is not supported/,
  ],
  ['accepts an IPv6 node without a cluster range', { node: { ip: 'fd01::4' } }, undefined, /^$/],
  [
    'rejects an IPv4 node in an IPv6 cluster',
    { k3s: { config: { 'cluster-cidr': 'fd00::/56' } }, node: { ip: '10.0.0.4' } },
    'node.ip',
    /is IPv4, and k3s\.config\.cluster-cidr IPv6/,
  ],
  [
    'accepts values that are not strings, which the schema rejects',
    { k3s: { config: { 'cluster-cidr': null } }, node: null },
    undefined,
    /^$/,
  ],
])('the rule about address families %s', (_name, written, path, message) => {
  const [problem] = misfits(written);
  expect(problem?.path.join('.')).toBe(path);
  expect(problem?.message ?? '').toMatch(message);
});
