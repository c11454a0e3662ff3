import { describe, expect, test } from 'vitest';
import { argocdMisfits } from '../../../../../src/agent/gitops/argocd/settings-rules.ts';
import { pathText } from '../../../../../src/agent/settings/path.ts';

const https = { url: 'https://github.com/acme/fleet.git', path: 'clusters/prod' };
const scp = { url: 'git@github.com:acme/fleet.git', path: 'clusters/prod' };
const ssh = { url: 'ssh://git@github.com:22/acme/fleet.git', path: 'clusters/prod' };
const app = { appId: 1, installationId: 2, privateKeySecretName: 'key' };

describe('argocdMisfits', () => {
  test.each([
    ['a public repository', https],
    ['a token over https', { ...https, tokenSecretName: 't' }],
    ['a GitHub App over https', { ...https, githubApp: app }],
    ['a key over ssh', { ...ssh, sshKeySecretName: 'k' }],
    ['a key and a URL in the form of scp', { ...scp, sshKeySecretName: 'k' }],
  ])('accepts %s', (_, written) => {
    expect(argocdMisfits(written, {})).toEqual([]);
  });

  test.each([
    ['a missing repository', {}, ['url: is missing', 'path: is missing']],
    ['a token over ssh', { ...scp, tokenSecretName: 't' }, ['tokenSecretName: needs a url that begins with']],
    ['a GitHub App over ssh', { ...ssh, githubApp: app }, ['githubApp: needs a url that begins with']],
    ['a key over https', { ...https, sshKeySecretName: 'k' }, ['sshKeySecretName: needs a url over ssh']],
    ['ssh without a key', scp, ['sshKeySecretName: is missing']],
    [
      'two logins',
      { ...https, tokenSecretName: 't', githubApp: app },
      ['githubApp: does not go with tokenSecretName'],
    ],
    [
      'three logins over https',
      { ...https, tokenSecretName: 't', sshKeySecretName: 'k', githubApp: app },
      [
        'sshKeySecretName: does not go with tokenSecretName',
        'githubApp: does not go with tokenSecretName',
        'sshKeySecretName: needs a url over ssh',
      ],
    ],
    ['a URL that is not text', { ...https, url: 7, sshKeySecretName: 'k' }, []],
  ])('refuses %s', (_, written, beginnings) => {
    const told = argocdMisfits(written, {}).map(({ path, message }) => `${pathText(path)}: ${message}`);
    expect(told).toEqual(beginnings.map((beginning) => expect.stringContaining(beginning)));
  });

  test('refuses a K3s without the controller that installs charts', () => {
    const settings = { k3s: { config: { 'disable-helm-controller': true } } };
    expect(argocdMisfits(https, settings)).toEqual([
      { path: [], message: expect.stringContaining('leave out disable-helm-controller') },
    ]);
  });

  test('refuses a chart in workloads.charts with the name of its own', () => {
    const settings = (name: string) => ({ workloads: { charts: { [name]: { chart: 'a' } } } });
    expect(argocdMisfits(https, settings('argocd'))).toMatchObject([
      { path: [], message: expect.stringContaining('take it out of workloads.charts') },
    ]);
    expect(argocdMisfits(https, settings('another'))).toEqual([]);
  });
});
