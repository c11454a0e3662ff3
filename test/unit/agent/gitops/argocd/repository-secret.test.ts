import { describe, expect, test } from 'vitest';
import { reveal, Secret } from '../../../../../src/agent/engine/secret.ts';
import { loginSources, repositorySecret } from '../../../../../src/agent/gitops/argocd/repository-secret.ts';
import type { ArgocdSettings } from '../../../../../src/agent/gitops/argocd/settings.ts';
import { argocdSettings, publicSettings } from './settings.ts';

/** Returns the values of the Secret for these settings, with the name of each secret in place of its value. */
function valuesOf(settings: ArgocdSettings) {
  const wish = repositorySecret(settings);
  const values = Object.entries(wish?.values((name) => new Secret(`<${name}>`)) ?? {});
  expect(wish?.keys.toSorted()).toEqual(values.map(([key]) => key).toSorted());
  expect(wish?.sources).toEqual(loginSources(settings));
  return Object.fromEntries(values.map(([key, value]) => [key, reveal(value)]));
}

const app = { appId: 1, installationId: 2, privateKeySecretName: 'app-key' };

describe('repositorySecret', () => {
  test('has the label by which Argo CD finds the login of a repository', () => {
    expect(repositorySecret(argocdSettings())).toMatchObject({
      namespace: 'argocd',
      type: 'Opaque',
      labels: { 'argocd.argoproj.io/secret-type': 'repository' },
    });
  });

  test.each<readonly [string, ArgocdSettings, object]>([
    ['a token', argocdSettings(), { username: 'git', password: '<git-token>' }],
    [
      'a key',
      publicSettings({ url: 'git@github.com:acme/fleet.git', sshKeySecretName: 'deploy-key' }),
      { url: 'git@github.com:acme/fleet.git', sshPrivateKey: '<deploy-key>' },
    ],
    [
      'a GitHub App',
      publicSettings({ githubApp: app }),
      { githubAppID: '1', githubAppInstallationID: '2', githubAppPrivateKey: '<app-key>' },
    ],
    [
      'an App at GitHub Enterprise',
      publicSettings({ githubApp: { ...app, enterpriseUrl: 'https://ghe.acme.test/api/v3' } }),
      {
        githubAppID: '1',
        githubAppInstallationID: '2',
        githubAppPrivateKey: '<app-key>',
        githubAppEnterpriseBaseUrl: 'https://ghe.acme.test/api/v3',
      },
    ],
  ])(
    'for %s has the keys that Argo CD expects, and the URL of the root Application',
    (_, settings, expected) => {
      expect(valuesOf(settings)).toEqual({
        type: 'git',
        url: 'https://github.com/acme/fleet.git',
        ...expected,
      });
    },
  );

  test('is absent for a public repository', () => {
    expect(repositorySecret(publicSettings())).toBeUndefined();
    expect(loginSources(publicSettings())).toEqual([]);
  });

  test('has another form after each change of the settings of the login', () => {
    const forms = [
      argocdSettings(),
      argocdSettings({ username: 'x' }),
      argocdSettings({ url: 'https://github.com/acme/other' }),
      argocdSettings({ tokenSecretName: 'other' }),
    ].map((settings) => repositorySecret(settings)?.form);
    expect(new Set(forms).size).toBe(forms.length);
  });
});
