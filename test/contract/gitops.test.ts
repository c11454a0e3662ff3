import { gitOpsEngines } from '../../src/agent/gitops/index.ts';
import { aVault } from '../lab/a-vault.ts';
import { argocdSettings, publicSettings } from '../unit/agent/gitops/argocd/settings.ts';
import { fluxProviderNames, fluxSettings } from '../unit/agent/gitops/flux/settings.ts';
import { type GitOpsSubject, gitOpsContract } from './gitops.ts';
import { argocdWorld, fluxWorld } from './gitops-world.ts';

const token = 'canary-git-token';
const ground = { cloud: aVault(token), verifyEvery: 600_000 };
const { none, flux, argocd } = gitOpsEngines;

/** Every GitOps engine, in each of its variants; this file does not compile if an engine is missing. */
const subjects: Readonly<Record<keyof typeof gitOpsEngines, Readonly<Record<string, GitOpsSubject>>>> = {
  none: { '': { engine: none.create(), world: () => fluxWorld(token), secrets: [] } },
  flux: Object.fromEntries(
    fluxProviderNames.map((provider) => {
      const settings = fluxSettings({ provider, url: 'https://git.acme.test/platform.git' });
      const engine = flux.create({ settings, ...ground });
      return [provider, { engine, world: () => fluxWorld(token), secrets: [token] }];
    }),
  ),
  argocd: Object.fromEntries(
    Object.entries({
      'a token': argocdSettings(),
      'an SSH key': publicSettings({ url: 'git@git.acme.test:acme/fleet.git', sshKeySecretName: 'key' }),
      'a GitHub App': publicSettings({
        githubApp: { appId: 1, installationId: 2, privateKeySecretName: 'key' },
      }),
      'a public repository': publicSettings(),
    }).map(([variant, settings]) => {
      const accepted = variant === 'a public repository' ? undefined : token;
      const world = () => argocdWorld(accepted, settings.path);
      return [variant, { engine: argocd.create({ settings, ...ground }), world, secrets: [token] }];
    }),
  ),
};

for (const [name, variants] of Object.entries(subjects)) {
  for (const [variant, subject] of Object.entries(variants)) {
    gitOpsContract([name, variant].filter(Boolean).join(', '), subject);
  }
}
