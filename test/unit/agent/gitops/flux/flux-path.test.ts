import { describe, expect, test } from 'vitest';
import { fluxWarnings, syncPath } from '../../../../../src/agent/gitops/flux/flux-path.ts';

test.each([
  [undefined, './'],
  ['', './'],
  ['.', './'],
  ['./', './'],
  ['clusters/prod', './clusters/prod'],
  ['./clusters/prod/', './clusters/prod'],
  ['clusters//prod', './clusters/prod'],
  ['/clusters/prod', './clusters/prod'],
])('the path %j is %s in the Kustomization', (path, expected) => {
  expect(syncPath(path)).toBe(expected);
});

describe('warnings', () => {
  test.each(['k8s/flux-system', './k8s/flux-system/', 'k8s//flux-system'])('%s names the nesting', (path) => {
    expect(fluxWarnings({ path })).toEqual([expect.stringContaining('in k8s/flux-system/flux-system;')]);
  });

  test('a path of that name at the top nests, too', () => {
    expect(fluxWarnings({ path: 'flux-system' })).toEqual([
      expect.stringContaining('in flux-system/flux-system;'),
    ]);
  });

  test.each([undefined, 'clusters/prod', 'flux-system/prod', 'my-flux-system'])('%s is as usual', (path) => {
    expect(fluxWarnings(path === undefined ? {} : { path })).toEqual([]);
  });
});
