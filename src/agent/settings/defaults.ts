import { clouds } from '../clouds/index.ts';
import { cloudDefaults } from '../clouds/sections.ts';
import { forEachConsent } from './consents.ts';
import type { DeepReadonlyInput } from './read-only.ts';
import type { WrittenSettings } from './schema.ts';

/** The lowest layer: what holds where nothing else is configured. Optional settings are left out, not `undefined`. */
export const defaults = {
  cloud: 'azure',
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
    flux: {
      version: '2.9.4',
      releaseUrl: 'https://github.com/fluxcd/flux2/releases/download',
      username: 'git',
      branch: 'main',
      personal: false,
      private: true,
      tokenAuth: true,
      components: ['source-controller', 'kustomize-controller', 'helm-controller', 'notification-controller'],
      componentsExtra: [],
      interval: '1m',
      timeout: '10m',
      tokenSecretName: 'flux-git-token',
    },
  },
  consent: forEachConsent(() => []),
  log: { level: 'info' },
  metrics: {},
} as const satisfies DeepReadonlyInput<WrittenSettings>;
