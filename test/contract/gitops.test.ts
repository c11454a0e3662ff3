import { Secret } from '../../src/agent/engine/secret.ts';
import { fluxGitOps } from '../../src/agent/gitops/flux/flux.ts';
import { noGitOps } from '../../src/agent/gitops/none.ts';
import { fluxSettings } from '../unit/agent/gitops/flux/settings.ts';
import { gitOpsContract } from './gitops.ts';
import { fluxWorld } from './gitops-world.ts';

const token = 'canary-git-token';
const cloud = { secret: async () => new Secret(token) };

gitOpsContract('none', { engine: noGitOps(), world: () => fluxWorld(token), secrets: [] });

for (const provider of ['github', 'gitlab', 'git'] as const) {
  const settings = fluxSettings({ provider, url: 'https://git.acme.test/platform.git' });
  gitOpsContract(`flux, ${provider}`, {
    engine: fluxGitOps({ settings, cloud }),
    world: () => fluxWorld(token),
    secrets: [token],
  });
}
