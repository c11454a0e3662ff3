import type { ArgocdSettings } from '../../../../../src/agent/gitops/argocd/settings.ts';

/** Returns complete settings for a private repository at GitHub, with these changes. */
export function argocdSettings(changes: Partial<ArgocdSettings> = {}): ArgocdSettings {
  return {
    chartVersion: '10.1.1',
    chartRepository: 'https://argoproj.github.io/argo-helm',
    failurePolicy: 'abort',
    values: { dex: { enabled: false } },
    url: 'https://github.com/acme/fleet.git',
    revision: 'main',
    path: 'clusters/prod',
    username: 'git',
    tokenSecretName: 'git-token',
    ...changes,
  };
}

/** Returns the same settings for a public repository, which needs no login. */
export function publicSettings(changes: Partial<ArgocdSettings> = {}): ArgocdSettings {
  const { tokenSecretName: _, ...settings } = argocdSettings(changes);
  return settings;
}
