import { join } from 'node:path';
import type { Part } from '../part.ts';
import { pluginName } from './kubelet-config.ts';
import { registryProbes } from './probes.ts';
import { registryReasons } from './reasons.ts';
import { registries } from './settings.ts';
import { registryInputs } from './start-inputs.ts';

export const registryPart: Part = {
  name: 'registry',
  settings: { registries },
  conditions: ['Registries', 'CredentialProvider', 'Pulls'],
  reasons: registryReasons,
  consents: ['foreignMirrors'],
  startInputs: registryInputs,
  probes: ({ configured, node }) => (configured ? registryProbes({ ...configured, node }) : []),
  owns: ({ k3s, slipway }) => [
    k3s.registries,
    slipway.logins,
    slipway.formerLogins,
    slipway.providerSettings,
    slipway.providerLock,
    slipway.pullProof,
    k3s.credentialProvider,
    join(k3s.credentialProviderBin, pluginName),
  ],
  reads: () => [],
};
