import * as z from 'zod/mini';
import { longDuration, secretName, text, words } from '../../settings/forms.ts';
import { about, type SettingsSection } from '../../settings/section.ts';
import { chart, releaseName } from './settings-forms.ts';
import { sensitiveOfCharts, workloadMisfits } from './settings-rules.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/** The form of the name of a Secret, with its namespace (DNS-1123 label and subdomain). */
const namespacedName = text(
  new RegExp(`^${label}/${label}(?:\\.${label})*$`),
  'be a namespace and a name, such as cert-manager/cloudflare-api-token',
);

/** The form of a key in a Secret (apimachinery, validation.IsConfigMapKey). */
const keyName = text(
  /^[-._a-zA-Z0-9]{1,253}$/,
  'be a key of a Secret: letters, digits, dashes, dots and underscores',
);

const registry = z.strictObject({
  server: about('The registry, such as ghcr.io.', words),
  username: about('The user name.', words),
  passwordSecretName: about('The name of the secret with the password.', secretName),
});

const clusterSecret = z.strictObject({
  type: about(
    'The type of the Secret; Opaque by default. The API does not change the type of a Secret.',
    z.optional(words),
  ),
  labels: about('Labels of the Secret.', z.optional(z.record(words, z.string()))),
  keys: about(
    'The keys of the Secret, each with the name of the secret with its value.',
    z.optional(z.record(keyName, secretName)),
  ),
  values: about(
    'Further keys whose values are not secret, such as a user name.',
    z.optional(z.record(keyName, z.string())),
  ),
  registry: about(
    'A login for a registry, instead of type, keys and values: the Secret becomes a kubernetes.io/dockerconfigjson.',
    z.optional(registry),
  ),
});

const schema = about(
  'What a server puts into its cluster before GitOps starts.',
  z.strictObject({
    secrets: about(
      'Kubernetes Secrets by namespace and name, with values from the vault: cert-manager/cloudflare-api-token: { keys: { api-token: cloudflare-token } }.',
      z.record(namespacedName, clusterSecret),
    ),
    charts: about(
      'Helm charts by the name of their release, which K3s installs and upgrades: cert-manager: { chart: oci://quay.io/jetstack/charts/cert-manager, version: v1.20.3, namespace: cert-manager }.',
      z.record(releaseName, chart),
    ),
    verifyEvery: about(
      'The time between two comparisons of these Secrets, and of the Git token, with the vault.',
      longDuration,
    ),
  }),
);

export const workloads = {
  schema,
  defaults: { secrets: {}, charts: {}, verifyEvery: '10m' },
  misfits: workloadMisfits,
  plainHttp: sensitiveOfCharts,
} as const satisfies SettingsSection<typeof schema>;
