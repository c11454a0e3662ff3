import { shortDigest } from '../../engine/digest.ts';
import { Secret } from '../../engine/secret.ts';
import type { WishedSecret } from '../../resources/cluster-secret/wished-secret.ts';
import type { Settings } from '../../settings/schema.ts';
import { workloadLabel } from './workload-label.ts';

/** The settings of one Secret. */
export type SecretSettings = Settings['workloads']['secrets'][string];

/** Returns the Secrets that the settings put into the cluster. */
export function wishedSecrets({ workloads }: Pick<Settings, 'workloads'>): readonly WishedSecret[] {
  return Object.entries(workloads.secrets).map(([path, settings]) => {
    const [namespace = '', name = ''] = path.split('/');
    return {
      namespace,
      name,
      labels: { ...settings.labels, ...workloadLabel },
      form: shortDigest(JSON.stringify(settings)),
      ...contentOf(settings),
    };
  });
}

type Content = Pick<WishedSecret, 'type' | 'keys' | 'sources' | 'values'>;

function contentOf(settings: SecretSettings): Content {
  return settings.registry ? registryLogin(settings.registry) : ownKeys(settings);
}

function ownKeys({ type = 'Opaque', keys = {}, values = {} }: SecretSettings): Content {
  const plain = Object.entries(values).map(([key, value]) => [key, new Secret(value, value)]);
  return {
    type,
    keys: [...Object.keys(keys), ...Object.keys(values)],
    sources: [...new Set(Object.values(keys))],
    values: (read) => ({
      ...Object.fromEntries(plain),
      ...Object.fromEntries(Object.entries(keys).map(([key, source]) => [key, read(source)])),
    }),
  };
}

/** Returns the content of a login for a registry (kubernetes.io, "Pull an Image from a Private Registry"). */
function registryLogin(registry: NonNullable<SecretSettings['registry']>): Content {
  const { server, username, passwordSecretName } = registry;
  const key = '.dockerconfigjson';
  return {
    type: 'kubernetes.io/dockerconfigjson',
    keys: [key],
    sources: [passwordSecretName],
    values: (read) => {
      const password = read(passwordSecretName).reveal();
      const auth = Buffer.from(`${username}:${password}`).toString('base64');
      return { [key]: new Secret(JSON.stringify({ auths: { [server]: { username, password, auth } } })) };
    },
  };
}
