import { expect, test } from 'vitest';
import { k3sFlags } from '../../../../../../src/agent/parts/k3s/flags/flags.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';

const config = '/etc/rancher/k3s/config.yaml';

test.each([
  ['nothing', {}, {}],
  ['the file', { '': 'pause-image: a\nv: 2\n' }, { 'pause-image': ['a'], v: ['2'] }],
  ['a later drop-in wins', { '': 'v: 1', '.d/b.yaml': 'v: 3', '.d/a.yml': 'v: 2' }, { v: ['3'] }],
  [
    'a plus appends',
    { '': 'kubelet-arg: [a, b]', '.d/a.yaml': 'kubelet-arg+: c' },
    { 'kubelet-arg': ['a', 'b', 'c'] },
  ],
  ['another file in the folder', { '': 'v: 1', '.d/a.yaml.bak': 'v: 2' }, { v: ['1'] }],
  ['a folder named like a drop-in', { '': 'v: 1', '.d/a.yaml/b': 'v: 2' }, { v: ['1'] }],
  ['invalid YAML', { '': 'v: 1', '.d/a.yaml': '{' }, { v: ['1'] }],
  ['a file that is not a map', { '': '- v' }, {}],
])('%s', async (_name, texts, expected) => {
  const files = Object.entries(texts).map(([end, text]) => [`${config}${end}`, text]);
  const flags = await k3sFlags(memoryHost({ files: Object.fromEntries(files) }), nodePaths('/'));
  expect(Object.fromEntries(flags)).toEqual(expected);
});
