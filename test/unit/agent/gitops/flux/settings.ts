import type { FluxSpec } from '../../../../../src/agent/gitops/flux/flux-run.ts';
import { fluxProviders } from '../../../../../src/agent/gitops/flux/providers.ts';
import type { FluxSettings } from '../../../../../src/agent/gitops/flux/settings.ts';
import type { GitOpsContext } from '../../../../../src/agent/gitops/gitops.ts';
import { choiceOf } from '../../../../../src/agent/settings/choice.ts';
import { aVault } from '../../../../lab/a-vault.ts';

/** Every provider, in the order of the table. */
export const fluxProviderNames = choiceOf(fluxProviders).options;

export const context: GitOpsContext = {
  needs: ['NodeReady/server-1'],
  k3s: '/usr/local/bin/k3s',
  kubeconfig: '/etc/rancher/k3s/k3s.yaml',
  binDir: '/usr/local/bin',
  downloadTrace: '/run/slipway/gitops-download.json',
  bootstrapTrace: '/run/slipway/gitops-bootstrap.json',
  scratch: '/var/lib/slipway/gitops-bootstrap',
  home: '/var/lib/slipway',
  arch: 'x64',
};

/** Returns complete settings for a repository at GitHub, with these changes. */
export function fluxSettings(changes: Partial<FluxSettings> = {}): FluxSettings {
  return {
    version: '2.9.4',
    releaseUrl: 'https://github.com/fluxcd/flux2/releases/download',
    provider: 'github',
    owner: 'acme',
    repository: 'platform',
    username: 'git',
    branch: 'main',
    path: 'clusters/prod',
    personal: false,
    private: true,
    tokenAuth: true,
    components: ['source-controller', 'kustomize-controller'],
    componentsExtra: [],
    interval: 60_000,
    timeout: 600_000,
    tokenSecretName: 'flux-git-token',
    ...changes,
  };
}

/** Returns the inputs of the adapter for a repository at GitHub, with these changes. */
export function fluxSpec({ settings, ...changes }: Partial<FluxSpec> = {}): FluxSpec {
  return { settings: settings ?? fluxSettings(), cloud: aVault(), verifyEvery: 600_000, ...changes };
}
