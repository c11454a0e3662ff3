import { describe, expect, test } from 'vitest';
import {
  isRepository,
  repositoryName,
  repositoryUrl,
  withoutLogin,
} from '../../../../../src/agent/gitops/flux/flux-repository.ts';
import { fluxSettings } from './settings.ts';

const bitbucket = fluxSettings({
  provider: 'bitbucket-server',
  hostname: 'git.acme.test',
  owner: 'Platform Team',
  repository: 'Our Fleet',
});
const azure = fluxSettings({ provider: 'git', url: 'https://dev.azure.com/Acme/Platform/_git/fleet' });

test.each([
  [fluxSettings(), 'github.com/acme/platform'],
  [fluxSettings({ provider: 'gitlab', hostname: 'git.acme.test' }), 'git.acme.test/acme/platform'],
  [fluxSettings({ provider: 'gitea' }), 'gitea.com/acme/platform'],
  [bitbucket, 'git.acme.test/Platform Team/Our Fleet'],
  [azure, 'https://dev.azure.com/Acme/Platform/_git/fleet'],
])('repositoryName of %j is %s', (settings, name) => {
  expect(repositoryName(settings)).toBe(name);
});

test('repositoryUrl is on the host of the repository, and absent without a host', () => {
  expect(repositoryUrl(azure)?.hostname).toBe('dev.azure.com');
  expect(repositoryUrl(fluxSettings())?.hostname).toBe('github.com');
  expect(repositoryUrl(fluxSettings({ provider: 'git' }))).toBeUndefined();
});

describe('isRepository', () => {
  test.each([
    [fluxSettings(), 'https://github.com/acme/platform'],
    [fluxSettings(), 'https://github.com/Acme/Platform.git'],
    [fluxSettings(), 'ssh://git@github.com/acme/platform'],
    [fluxSettings(), 'ssh://git@ssh.github.com:443/acme/platform.git'],
    [fluxSettings({ hostname: 'git.acme.test:8443' }), 'https://git.acme.test:8443/acme/platform.git/'],
    [azure, 'https://dev.azure.com/acme/platform/_git/fleet'],
    [azure, 'ssh://git@ssh.dev.azure.com/v3/Acme/Platform/fleet'],
    [fluxSettings({ provider: 'gitea', hostname: 'codeberg.org' }), 'https://codeberg.org/acme/platform.git'],
    [bitbucket, 'https://git.acme.test/scm/plat/our-fleet.git'],
    [bitbucket, 'ssh://git@git.acme.test:7999/PLAT/our-fleet.git'],
    [fluxSettings(), 'not a URL'],
  ])('for the settings %j, accepts the URL %s', (settings, url) => {
    expect(isRepository(settings, url)).toBe(true);
  });

  test.each([
    'https://github.com/acme/other',
    'https://github.com/team/platform',
    'https://gitlab.com/acme/platform',
    'ssh://git@github.com/acme/other',
  ])('rejects %s if the settings name github.com/acme/platform', (url) => {
    expect(isRepository(fluxSettings(), url)).toBe(false);
  });
});

test.each(['https://git.acme.test/scm/plat/other.git', 'https://bitbucket.test/scm/plat/our-fleet.git'])(
  'isRepository rejects %s if the settings name a different Bitbucket repository',
  (url) => {
    expect(isRepository(bitbucket, url)).toBe(false);
  },
);

test('withoutLogin removes the user name and the password from a URL', () => {
  expect(withoutLogin('https://user:canary@git.acme.test/a')).toBe('https://git.acme.test/a');
});
