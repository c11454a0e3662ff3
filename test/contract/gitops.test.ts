import { gitOpsEngines } from '../../src/agent/gitops/index.ts';
import { aVault } from '../lab/a-vault.ts';
import { fluxProviderNames, fluxSettings } from '../unit/agent/gitops/flux/settings.ts';
import { type GitOpsSubject, gitOpsContract } from './gitops.ts';
import { fluxWorld } from './gitops-world.ts';

const token = 'canary-git-token';
const ground = { cloud: aVault(token), verifyEvery: 600_000 };
const { none, flux } = gitOpsEngines;

/** Every engine in the table, in each variant; a missing engine does not compile. */
const subjects: Readonly<Record<keyof typeof gitOpsEngines, Readonly<Record<string, GitOpsSubject>>>> = {
  none: { '': { engine: none.create(), world: () => fluxWorld(token), secrets: [] } },
  flux: Object.fromEntries(
    fluxProviderNames.map((provider) => {
      const settings = fluxSettings({ provider, url: 'https://git.acme.test/platform.git' });
      const engine = flux.create({ settings, ...ground });
      return [provider, { engine, world: () => fluxWorld(token), secrets: [token] }];
    }),
  ),
};

for (const [name, variants] of Object.entries(subjects)) {
  for (const [variant, subject] of Object.entries(variants)) {
    gitOpsContract([name, variant].filter(Boolean).join(', '), subject);
  }
}
