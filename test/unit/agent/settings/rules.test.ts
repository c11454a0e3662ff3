import { describe, expect, test } from 'vitest';
import { defaults } from '../../../../src/agent/settings/defaults.ts';
import { pathText } from '../../../../src/agent/settings/path.ts';
import { misfits } from '../../../../src/agent/settings/rules.ts';

function found(written: unknown): readonly string[] {
  return misfits(written).map(({ path, message }) => `${pathText(path)}: ${message}`);
}

test('misfits finds no problem in the defaults or in empty settings', () => {
  expect(found(defaults)).toEqual([]);
  expect(found(undefined)).toEqual([]);
});

test.each([
  [
    { azure: { keyVault: { name: 'a', url: 'https://a' } } },
    'azure.keyVault.url: cannot go with azure.keyVault.name',
  ],
  [
    { joinToken: { secretName: 't', agentSecretName: 't' } },
    'joinToken.agentSecretName: names the same secret',
  ],
  [
    { network: { proxyCredentialsFile: '/etc/slipway/proxy' } },
    'network.proxyCredentialsFile: is the login for network.proxy, which is not set',
  ],
  [
    { registries: { servers: ['a.io'], configs: { 'a.io': { auth: {} } } } },
    'registries.configs."a.io".auth: is written by Slipway',
  ],
])('misfits finds one problem in %j', (written, beginning) => {
  const problems = found(written);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(beginning);
});

describe('misfits of gitops.flux', () => {
  const hosted = { owner: 'o', repository: 'r', path: 'p' };
  test.each([
    [{}, ['gitops.flux.provider: is missing']],
    [{ provider: 'github', ...hosted }, []],
    [{ provider: 'gitlab', ...hosted, personal: true, hostname: 'h' }, []],
    [{ provider: 'gitea', ...hosted }, []],
    [{ provider: 'gitea', ...hosted, tokenAuth: false }, []],
    [{ provider: 'bitbucket-server', ...hosted, hostname: 'h' }, []],
    [{ provider: 'bitbucket-server', ...hosted }, ['gitops.flux.hostname: is missing']],
    [{ provider: 'git', url: 'https://h/r.git', path: 'p', personal: false }, []],
    [{ provider: 'github' }, ['gitops.flux.owner: is', 'gitops.flux.repository: is', 'gitops.flux.path: is']],
    [{ provider: 'github', ...hosted, url: 'u' }, ['gitops.flux.url: does not go with provider github']],
    [{ provider: 'git', path: 'p' }, ['gitops.flux.url: is missing']],
    [{ provider: 'github', ...hosted, repository: 'o/r' }, ['gitops.flux.repository: must be only the name']],
    [
      { provider: 'gitlab', ...hosted, repository: 'https://gitlab.com/o/r' },
      ['gitops.flux.repository: must be only the name'],
    ],
    [{ provider: 'github', ...hosted, tokenAuth: false }, []],
    [
      { provider: 'git', url: 'https://h/r.git', path: 'p', tokenAuth: false },
      ['gitops.flux.tokenAuth: does not go with provider git'],
    ],
    [
      { provider: 'git', url: 'u', path: 'p', owner: 'o', personal: true },
      ['gitops.flux.owner: does not go', 'gitops.flux.personal: does not go'],
    ],
    [
      { provider: 'github', ...hosted, components: ['helm-controller'] },
      ['gitops.flux.components: lacks source-controller and kustomize-controller'],
    ],
    [{ provider: 'gitub', path: 5 }, []],
    [{ provider: 'constructor' }, []],
  ])('for %j are %j while Flux is in use, and none otherwise', (flux, beginnings) => {
    const problems = found({ gitops: { engine: 'flux', flux } });
    expect(problems).toEqual(beginnings.map((beginning) => expect.stringContaining(beginning)));
    expect(found({ gitops: { engine: 'none', flux } })).toEqual([]);
  });
  test('finds the Git Secret in workloads.secrets, unless Flux has a deploy key', () => {
    const flux = { provider: 'github', ...hosted };
    const workloads = { secrets: { 'flux-system/flux-system': { keys: { password: 'flux-git-token' } } } };
    expect(found({ gitops: { engine: 'flux', flux }, workloads })).toEqual([
      expect.stringContaining('gitops.flux.tokenSecretName: writes the Secret flux-system/flux-system'),
    ]);
    const withKey = { ...flux, tokenAuth: false };
    expect(found({ gitops: { engine: 'flux', flux: withKey }, workloads })).toEqual([]);
  });
});
