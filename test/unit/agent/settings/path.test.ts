import { expect, test } from 'vitest';
import { pathText, valueAt } from '../../../../src/agent/settings/path.ts';

test.each([
  [['k3s', 'version'], 'k3s.version'],
  [['node', 'labels', 0], 'node.labels[0]'],
  [['registries', 'configs', 'docker.io', 'tls'], 'registries.configs."docker.io".tls'],
  [['k3s', 'config', 'kubelet-arg+'], 'k3s.config.kubelet-arg+'],
])('pathText writes %j as %s', (path, text) => {
  expect(pathText(path)).toBe(text);
});

test.each([
  [['a', 'b', 1], 'y'],
  [['a', 'missing', 'deep'], undefined],
  [['a', 'b', 'length', 'x'], undefined],
  [['constructor'], undefined],
])('valueAt(%j) returns %j', (path, value) => {
  expect(valueAt({ a: { b: ['x', 'y'] } }, path)).toBe(value);
});
