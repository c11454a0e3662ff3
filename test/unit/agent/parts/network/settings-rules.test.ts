import { expect, test } from 'vitest';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { load } from '../../../../../src/agent/settings/load.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { problemsOf } from '../../settings/invalid.ts';

const own = '/etc/slipway/config.yaml';

function settings(imds: string) {
  return load(memoryHost({ files: { [own]: `imds: ${imds}` } }), { paths: nodePaths('/') });
}

test('the imds settings allow no client and leave pods undecided by default', async () => {
  expect((await settings('{}')).settings.imds).toEqual({ allow: [] });
});

test.each([
  '{ pods: allow }',
  '{ allow: [{ name: Azure Monitor, uid: 104 }, { name: kube-system/metrics, from: 10.42.3.0/24 }] }',
  '{ allow: [{ name: one, from: 10.42.3.7 }] }',
])('the imds settings %s are valid', async (imds) => {
  expect(await problemsOf(() => settings(imds))).toEqual([]);
});

test.each([
  ['{ pods: deny }', 'imds.pods: must be block or allow'],
  ['{ allow: { name: a, uid: 5 } }', 'imds.allow: must be a list'],
  ['{ allow: [{ uid: 5 }] }', 'imds.allow[0].name: is missing'],
  ['{ allow: [{ name: "a\\"; drop", uid: 5 }] }', 'imds.allow[0].name: must be a short name'],
  ['{ allow: [{ name: a }] }', 'imds.allow[0]: lets nothing through; give it from for pods'],
  ['{ allow: [{ name: a, from: 10.42.3.7, uid: 5 }] }', 'imds.allow[0]: has from and uid; make two entries'],
  [
    '{ allow: [{ name: a, uid: 5 }, { name: a, uid: 6 }] }',
    'imds.allow[1]: has the name of imds.allow[0]; give it another',
  ],
  ['{ allow: [{ name: a, from: 10.42.3 }] }', 'imds.allow[0].from: must be an IPv4 address or a range'],
  ['{ allow: [{ name: a, from: "fd00::/8" }] }', 'imds.allow[0].from: must be an IPv4 address or a range'],
  ['{ allow: [{ name: a, uid: 0 }] }', 'imds.allow[0].uid: must be above zero: root is always let through'],
  ['{ allow: [{ name: a, uid: 4294967295 }] }', 'imds.allow[0].uid: must be a user id, at most 4294967294'],
  ['{ allow: [{ name: a, uid: syslog }] }', 'imds.allow[0].uid: must be a user id: a whole number'],
  ['{ allow: [{ name: a, user: 5, uid: 5 }] }', 'imds.allow[0].user: is not a setting'],
])('the imds settings %s are invalid', async (imds, beginning) => {
  const found = await problemsOf(() => settings(imds));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${own}: ${beginning}`);
});
