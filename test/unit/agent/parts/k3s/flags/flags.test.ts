import { expect, test } from 'vitest';
import { k3sFlags } from '../../../../../../src/agent/parts/k3s/flags/flags.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';

const config = '/etc/rancher/k3s/config.yaml';

test.each([
  ['a missing configuration file', {}, {}],
  ['the configuration file alone', { '': 'pause-image: a\nv: 2\n' }, { 'pause-image': ['a'], v: ['2'] }],
  [
    'a key that a later drop-in replaces',
    { '': 'v: 1', '.d/b.yaml': 'v: 3', '.d/a.yml': 'v: 2' },
    { v: ['3'] },
  ],
  [
    'a key with a plus, which adds to a list',
    { '': 'kubelet-arg: [a, b]', '.d/a.yaml': 'kubelet-arg+: c' },
    { 'kubelet-arg': ['a', 'b', 'c'] },
  ],
  [
    'a file in the drop-in folder whose name does not end with .yaml or .yml',
    { '': 'v: 1', '.d/a.yaml.bak': 'v: 2' },
    { v: ['1'] },
  ],
  ['a folder named like a drop-in', { '': 'v: 1', '.d/a.yaml/b': 'v: 2' }, { v: ['1'] }],
  ['a drop-in with invalid YAML', { '': 'v: 1', '.d/a.yaml': '{' }, { v: ['1'] }],
  ['a configuration file that is not a map', { '': '- v' }, {}],
])('k3sFlags returns the effective flags for %s', async (_name, texts, expected) => {
  const files = Object.entries(texts).map(([end, text]) => [`${config}${end}`, text]);
  const flags = await k3sFlags(memoryHost({ files: Object.fromEntries(files) }), nodePaths('/'));
  expect(Object.fromEntries(flags)).toEqual(expected);
});
