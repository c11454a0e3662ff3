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

describe('warnings about the path of Flux', () => {
  test.each(['k8s/flux-system', './k8s/flux-system/', 'k8s//flux-system'])(
    'for %s name the nesting',
    (path) => {
      expect(fluxWarnings({ path })).toEqual([expect.stringContaining('in k8s/flux-system/flux-system;')]);
    },
  );

  test('name the nesting also for a path of that name at the top', () => {
    expect(fluxWarnings({ path: 'flux-system' })).toEqual([
      expect.stringContaining('in flux-system/flux-system;'),
    ]);
  });

  test.each([undefined, 'clusters/prod', 'flux-system/prod', 'my-flux-system'])(
    'are not given for %s',
    (path) => {
      expect(fluxWarnings(path === undefined ? {} : { path })).toEqual([]);
    },
  );
});
