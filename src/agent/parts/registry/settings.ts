import * as z from 'zod/mini';
import { registryName, url } from '../../settings/address-forms.ts';
import { cron } from '../../settings/cron-form.ts';
import { basicAuth, imageReference, loginServer, secretText, words } from '../../settings/forms.ts';
import { about, type SettingsSection } from '../../settings/section.ts';
import { mirrorsWithLogin, registryMisfits } from './settings-rules.ts';

const mirror = z.strictObject({
  endpoint: about('URLs to ask, in this order.', z.optional(z.array(url))),
  rewrite: about(
    'Regular expressions for image names, with their replacements.',
    z.optional(z.record(words, z.string())),
  ),
});

const registryConfig = z.strictObject({
  auth: z.optional(
    z.strictObject({
      username: z.optional(words),
      password: z.optional(secretText),
      auth: about('user:password in base64.', z.optional(basicAuth)),
      identity_token: z.optional(secretText),
    }),
  ),
  tls: z.optional(
    z.strictObject({
      ca_file: z.optional(words),
      cert_file: z.optional(words),
      key_file: z.optional(words),
      insecure_skip_verify: z.optional(z.boolean()),
    }),
  ),
});

const schema = about(
  'Container registries.',
  z.strictObject({
    servers: about(
      "Login servers whose credentials come from this VM's identity, such as myteam.azurecr.io.",
      z.array(loginServer),
    ),
    mirrors: about('Mirrors, as in registries.yaml.', z.record(registryName, mirror)),
    configs: about(
      'TLS and credentials of other registries, as in registries.yaml.',
      z.record(registryName, registryConfig),
    ),
    onRotate: about(
      "Whether Slipway restarts K3s for fresh credentials. Kubelet's pulls never need a restart; auto restarts K3s only if containerd also pulls without kubelet.",
      z.enum(['never', 'auto', 'restart']),
    ),
    proof: about(
      'Images in the login servers, such as myteam.azurecr.io/base:1. Slipway tests each new credential by pulling part of the image from its server.',
      z.array(imageReference),
    ),
    schedule: about(
      'The times at which Slipway renews credentials: five cron fields, in UTC; each node adds its own delay.',
      cron,
    ),
  }),
);

export const registries = {
  schema,
  defaults: {
    servers: [],
    mirrors: {},
    configs: {},
    onRotate: 'never',
    proof: [],
    schedule: '0 */2 * * *',
  },
  misfits: registryMisfits,
  plainHttp: mirrorsWithLogin,
} as const satisfies SettingsSection<typeof schema>;
