import * as z from 'zod/mini';
import { url } from '../../settings/address-forms.ts';
import { longDuration, text, words } from '../../settings/forms.ts';
import { about } from '../../settings/section.ts';

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';

/**
 * The form of the name of a release. Helm allows 53 characters, but K3s's job `helm-install-NAME` puts its own name
 * into a label of its pods, and a label value has at most 63 characters.
 */
export const releaseName = text(
  new RegExp(`^(?=.{1,50}$)${label}$`),
  'be the name of a release: up to 50 lower-case letters, digits and dashes',
);

/** The form of the name of a namespace (DNS-1123 label). */
const namespace = text(
  new RegExp(`^(?=.{1,63}$)${label}$`),
  'be a namespace: up to 63 lower-case letters, digits and dashes',
);

/** The form of the name of a Secret (DNS-1123 subdomain). */
const secretObject = text(
  new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`),
  'be the name of a Secret in the namespace kube-system',
);

/** The form of a chart: a name in a repository, an OCI address, or the URL of an archive. */
const chartSource = text(
  /^(?:oci:\/\/[^\s/:@]+(?::\d+)?(?:\/[\w.-]+)+|https?:\/\/[^\s/@?#]+\/[^\s@?#]+\.tgz|[A-Za-z0-9][\w.-]*)$/,
  'be the name of a chart in repo, an address such as oci://ghcr.io/team/charts/app without a version, or the https URL of an archive (.tgz)',
);

/** The settings of a chart. */
export const chart = z.strictObject({
  chart: about(
    'The chart: its name in `repo`, an oci:// address, or the URL of an archive (.tgz).',
    chartSource,
  ),
  repo: about('The URL of the chart repository, if `chart` is a name.', z.optional(url)),
  version: about('The version of the chart; not for an archive.', z.optional(words)),
  namespace: about('The namespace of the release.', namespace),
  createNamespace: about('Whether a missing namespace is created; true by default.', z.optional(z.boolean())),
  values: about(
    'The values of the chart. They are readable in the cluster and in the settings, so use valuesSecrets for secrets.',
    z.optional(z.record(z.string(), z.unknown())),
  ),
  valuesSecrets: about(
    'Secrets in kube-system with further values: the name of each, and the keys that contain YAML. workloads.secrets can create them.',
    z.optional(
      z.record(
        secretObject,
        z.array(words).check(z.minLength(1, 'must name a key with values, such as values.yaml')),
      ),
    ),
  ),
  failurePolicy: about(
    'What K3s does with a release that has failed: abort (the default) waits for you, retry upgrades it, reinstall uninstalls it first, with its data.',
    z.optional(z.enum(['abort', 'retry', 'reinstall'])),
  ),
  timeout: about('The time limit of helm; five minutes by default.', z.optional(longDuration)),
  authSecret: about(
    'A Secret in kube-system with the login for the repository (kubernetes.io/basic-auth) or for the registry of an oci:// address (kubernetes.io/dockerconfigjson).',
    z.optional(secretObject),
  ),
  bootstrap: about(
    'Whether the chart is installed before the pod network works, by a pod in the network of the server: for a network plugin or a cloud controller.',
    z.optional(z.boolean()),
  ),
});
