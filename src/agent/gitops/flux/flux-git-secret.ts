import { shortDigest } from '../../engine/digest.ts';
import { Secret } from '../../engine/secret.ts';
import type { WishedSecret } from '../../resources/cluster-secret/wished-secret.ts';
import { fluxSystem } from './flux-objects.ts';
import { fluxProviders } from './providers.ts';
import type { FluxSettings } from './settings.ts';

/**
 * Returns the Secret with which source-controller fetches the repository, as `flux bootstrap` writes it (fluxcd/flux2
 * pkg/manifestgen/sourcesecret). `ca` is the content of `network.caFile`, if set.
 */
export function gitSecret(settings: FluxSettings, ca: string | undefined): WishedSecret {
  const { provider, tokenSecretName } = settings;
  const username = fluxProviders[provider].user(settings);
  const plain = { username, ...(ca !== undefined && { 'ca.crt': ca }) };
  return {
    namespace: fluxSystem,
    name: fluxSystem,
    type: 'Opaque',
    labels: {},
    keys: [...Object.keys(plain), 'password'],
    sources: [tokenSecretName],
    form: shortDigest(JSON.stringify([plain, tokenSecretName])),
    values: (read) => ({
      ...Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, new Secret(value, value)])),
      password: read(tokenSecretName),
    }),
  };
}
