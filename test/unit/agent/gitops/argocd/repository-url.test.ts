import { describe, expect, test } from 'vitest';
import { hostOf, isSameRepository, isSsh } from '../../../../../src/agent/gitops/argocd/repository-url.ts';

test.each([
  ['https://github.com/acme/fleet.git', false],
  ['git@github.com:acme/fleet.git', true],
  ['ssh://git@github.com/acme/fleet', true],
])('isSsh of %s is %s', (url, expected) => {
  expect(isSsh(url)).toBe(expected);
});

describe('isSameRepository', () => {
  const https = 'https://github.com/acme/fleet.git';
  test.each([
    [https, 'https://GitHub.com/acme/fleet', true],
    [https, 'https://github.com/acme/fleet2', false],
    [https, 'https://github.com/acme/fleet.git/', false],
    ['git@github.com:acme/fleet.git', 'ssh://git@github.com/acme/fleet', true],
    ['git@github.com:acme/fleet.git', https, false],
    ['', https, false],
  ])('of %s and %s is %s, as in Argo CD', (one, other, expected) => {
    expect(isSameRepository(one, other)).toBe(expected);
  });
});

test.each([
  'https://git.example/acme/fleet.git',
  'git@git.example:acme/fleet.git',
  'ssh://git@git.example:2222/acme/fleet',
])('hostOf %s is its host', (url) => {
  expect(hostOf(url)).toBe('https://git.example');
});
