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
])('syncPath turns the path %j into %s', (path, expected) => {
  expect(syncPath(path)).toBe(expected);
});

describe('fluxWarnings', () => {
  test.each(['k8s/flux-system', './k8s/flux-system/', 'k8s//flux-system'])(
    'warns about a nested folder flux-system for the path %s',
    (path) => {
      expect(fluxWarnings({ path })).toEqual([expect.stringContaining('in k8s/flux-system/flux-system;')]);
    },
  );

  test('warns about a nested folder flux-system if the whole path is flux-system', () => {
    expect(fluxWarnings({ path: 'flux-system' })).toEqual([
      expect.stringContaining('in flux-system/flux-system;'),
    ]);
  });

  test.each([undefined, 'clusters/prod', 'flux-system/prod', 'my-flux-system'])(
    'returns no warning for the path %s',
    (path) => {
      expect(fluxWarnings(path === undefined ? {} : { path })).toEqual([]);
    },
  );
});
