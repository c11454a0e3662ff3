import { clouds, defaultCloud } from '../clouds/index.ts';
import { cloudDefaults } from '../clouds/sections.ts';
import { gitOpsEngines } from '../gitops/index.ts';
import { engineDefaults } from '../gitops/sections.ts';
import { forEachConsent } from './consents.ts';
import type { DeepReadonlyInput } from './read-only.ts';
import type { WrittenSettings } from './schema.ts';

/** The lowest layer: what holds where nothing else is configured. Optional settings are left out, not `undefined`. */
export const defaults = {
  cloud: defaultCloud,
  tags: { role: true, server: true, version: true },
  node: { labels: [], taints: [] },
  network: { noProxy: [] },
  ...cloudDefaults(clouds),
  imds: { pods: 'block', allow: [] },
  joinToken: { secretName: 'k3s-token', attempts: 30, interval: '10s', verifyEvery: '2h' },
  k3s: {
    version: 'v1.36.3+k3s1',
    releaseUrl: 'https://github.com/k3s-io/k3s/releases/download',
    upgrade: 'manual',
    announce: true,
    config: {},
  },
  registries: {
    servers: [],
    mirrors: {},
    configs: {},
    onRotate: 'never',
    proof: [],
    schedule: '0 */2 * * *',
  },
  gitops: {
    engine: 'none',
    ...engineDefaults(gitOpsEngines),
  },
  consent: forEachConsent(() => []),
  log: { level: 'info' },
  metrics: {},
} as const satisfies DeepReadonlyInput<WrittenSettings>;
