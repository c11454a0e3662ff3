import { describe, expect, test } from 'vitest';
import { bootstrapArguments } from '../../../../../src/agent/gitops/flux/flux-arguments.ts';
import { fluxSettings } from './settings.ts';

const kubeconfig = '/etc/rancher/k3s/k3s.yaml';

describe('bootstrapArguments', () => {
  test('returns all flags for a personal repository on GitHub', () => {
    const settings = fluxSettings({
      owner: 'DevOpsKev',
      repository: 'kevin-ryan-platform',
      path: 'k8s/flux-system',
      personal: true,
      components: ['source-controller', 'kustomize-controller', 'helm-controller'],
    });
    expect(bootstrapArguments(settings, kubeconfig)).toEqual([
      'bootstrap',
      'github',
      '--kubeconfig=/etc/rancher/k3s/k3s.yaml',
      '--timeout=5m',
      '--owner=DevOpsKev',
      '--repository=kevin-ryan-platform',
      '--personal=true',
      '--private=true',
      '--branch=main',
      '--path=k8s/flux-system',
      '--interval=1m',
      '--token-auth=true',
      '--components=source-controller,kustomize-controller,helm-controller',
    ]);
  });

  test('returns the host and --visibility for gitlab, but not the deprecated --private', () => {
    const settings = fluxSettings({
      provider: 'gitlab',
      hostname: 'git.acme.test',
      owner: 'group/sub',
      private: false,
      tokenAuth: false,
      componentsExtra: ['image-reflector-controller', 'image-automation-controller'],
    });
    expect(bootstrapArguments(settings, kubeconfig).slice(1)).toEqual([
      'gitlab',
      '--kubeconfig=/etc/rancher/k3s/k3s.yaml',
      '--timeout=5m',
      '--hostname=git.acme.test',
      '--owner=group/sub',
      '--repository=platform',
      '--personal=false',
      '--visibility=public',
      '--branch=main',
      '--path=clusters/prod',
      '--interval=1m',
      '--token-auth=false',
      '--components=source-controller,kustomize-controller',
      '--components-extra=image-reflector-controller,image-automation-controller',
    ]);
  });

  test('returns the URL, the user and --silent for git, but no flags for hosted providers', () => {
    const { path: _, ...wholeRepository } = fluxSettings({
      provider: 'git',
      url: 'https://git.acme.test/platform.git',
      username: 'slipway',
    });
    expect(bootstrapArguments(wholeRepository, kubeconfig).slice(1)).toEqual([
      'git',
      '--kubeconfig=/etc/rancher/k3s/k3s.yaml',
      '--timeout=5m',
      '--url=https://git.acme.test/platform.git',
      '--username=slipway',
      '--silent=true',
      '--branch=main',
      '--interval=1m',
      '--token-auth=true',
      '--components=source-controller,kustomize-controller',
    ]);
  });

  test('returns the host and --private for gitea', () => {
    const settings = fluxSettings({ provider: 'gitea', hostname: 'codeberg.org' });
    expect(bootstrapArguments(settings, kubeconfig).slice(1, 9)).toEqual([
      'gitea',
      '--kubeconfig=/etc/rancher/k3s/k3s.yaml',
      '--timeout=5m',
      '--hostname=codeberg.org',
      '--owner=acme',
      '--repository=platform',
      '--personal=false',
      '--private=true',
    ]);
  });

  test('returns the host and the user for bitbucket-server', () => {
    const settings = fluxSettings({
      provider: 'bitbucket-server',
      hostname: 'git.acme.test',
      username: 'ada',
      private: false,
    });
    expect(bootstrapArguments(settings, kubeconfig).slice(1, 10)).toEqual([
      'bitbucket-server',
      '--kubeconfig=/etc/rancher/k3s/k3s.yaml',
      '--timeout=5m',
      '--hostname=git.acme.test',
      '--owner=acme',
      '--repository=platform',
      '--personal=false',
      '--username=ada',
      '--private=false',
    ]);
  });

  test('omits the user name in a clone URL of Azure DevOps', () => {
    const url = 'https://acme@dev.azure.com/acme/platform/_git/fleet';
    expect(bootstrapArguments(fluxSettings({ provider: 'git', url }), kubeconfig)).toContain(
      '--url=https://dev.azure.com/acme/platform/_git/fleet',
    );
  });

  test('returns the CA file, which Flux passes on to its controllers', () => {
    expect(bootstrapArguments(fluxSettings(), kubeconfig, '/ca.pem')).toContain('--ca-file=/ca.pem');
  });

  test.each([
    [60_000, '--interval=1m'],
    [90_000, '--interval=90s'],
    [1_500, '--interval=1500ms'],
    [7_200_000, '--interval=120m'],
  ])('writes an interval of %d ms as %s', (interval, flag) => {
    expect(bootstrapArguments(fluxSettings({ interval }), kubeconfig)).toContain(flag);
  });
});
