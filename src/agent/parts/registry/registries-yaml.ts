import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import { remembering } from '../../engine/remembering.ts';
import { Secret, sensitive } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { quotedYaml } from '../../settings/quoted-yaml.ts';
import type { Settings } from '../../settings/schema.ts';
import { parseYaml } from '../../settings/yaml.ts';

const text = z.string();
const auth = z.strictObject({
  username: z.optional(text),
  password: z.optional(text),
  auth: z.optional(text),
  identity_token: z.optional(text),
});
const tls = z.strictObject({
  ca_file: z.optional(text),
  cert_file: z.optional(text),
  key_file: z.optional(text),
  insecure_skip_verify: z.optional(z.boolean()),
});
const mirror = z.strictObject({
  endpoint: z.optional(z.array(z.url())),
  rewrite: z.optional(z.record(text, text)),
});

/**
 * The schema of a mirror. A name without a value is a registry without endpoints, as the embedded registry requires.
 */
const namedMirror = z.pipe(
  z.nullable(mirror),
  z.transform((value) => value ?? {}),
);

/**
 * The schema of registries.yaml (https://docs.k3s.io/installation/private-registry). Rejects other keys, which K3s
 * would ignore.
 */
const schema = z.strictObject({
  mirrors: z.optional(z.record(text, namedMirror)),
  configs: z.optional(z.record(text, z.strictObject({ auth: z.optional(auth), tls: z.optional(tls) }))),
});

export type Registries = z.output<typeof schema>;

/** The user name and password for a login server. */
export interface Login {
  readonly username: string;
  readonly password: Secret;
}

/**
 * Returns the text of registries.yaml: each login server with its login and, unless the settings mirror it, its https
 * endpoint; and the other registries of the settings.
 *
 * Parses the text before returning it, since K3s never starts with a malformed file (pkg/agent/config/config.go, get).
 * Throws `RegistriesInvalid` if the text is malformed.
 */
export function renderRegistries(
  settings: Settings['registries'],
  logins: ReadonlyMap<string, Login>,
): Secret {
  const rendered = sensitive((show) => {
    const data = registriesOf(settings, logins, show);
    const text = quotedYaml({ data, keys: 'QUOTE_DOUBLE' }, 'registries.yaml');
    return `# Written by Slipway, which renews it; change the settings under registries instead.\n${text}`;
  });
  const wanted = registriesOf(settings, logins, (secret) => secret.reveal());
  if (!isDeepStrictEqual(parseRegistries(rendered.reveal()), wanted)) {
    throw invalid();
  }
  return rendered;
}

/** True if the settings name any registry; otherwise registries.yaml belongs to the operator. */
export function namesRegistry({ servers, mirrors, configs }: Settings['registries']): boolean {
  return [servers, Object.keys(mirrors), Object.keys(configs)].some(({ length }) => length > 0);
}

/** Returns the registries of the settings, without logins for the login servers. */
export function wantedRegistries(settings: Settings['registries']): Registries {
  return registriesOf(settings, new Map(), (secret) => secret.reveal());
}

/** Returns the content of a registries.yaml; `undefined` if K3s would reject it or ignore a part of it. */
export function parseRegistries(content: string): Registries | undefined {
  return parsed(content, 'registries.yaml');
}

const parsed = remembering((content): Registries | undefined => {
  try {
    return z.safeParse(schema, parseYaml(content) ?? {}).data;
  } catch {
    return undefined;
  }
});

/** Returns the registries without logins; omits a registry that has only a login. */
export function withoutAuth({ mirrors = {}, configs = {} }: Registries): Registries {
  const rest = Object.entries(configs).flatMap(([name, { tls }]) => (tls ? [[name, { tls }] as const] : []));
  return { mirrors, configs: Object.fromEntries(rest) };
}

type Show = (secret: Secret) => string;

function registriesOf(
  { servers, mirrors, configs }: Settings['registries'],
  logins: ReadonlyMap<string, Login>,
  show: Show,
): Registries {
  const own = servers.map((server) => [server, { endpoint: [`https://${server}`] }] as const);
  const ownConfigs = servers.map(
    (server) => [server, ownConfig(configs[server], logins.get(server))] as const,
  );
  return schema.parse(
    plain({
      mirrors: { ...Object.fromEntries(own), ...mirrors },
      configs: { ...configs, ...Object.fromEntries(ownConfigs) },
    }),
  );

  /** Returns the value with secrets replaced by their texts, and without `undefined`, which YAML does not have. */
  function plain(value: unknown): unknown {
    if (value instanceof Secret) {
      return show(value);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return value;
    }
    const present = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(present.map(([key, item]) => [key, plain(item)]));
  }
}

type RegistryConfig = Settings['registries']['configs'][string];

/**
 * Returns the configuration of a login server with its login, or with an empty login until the first login is received.
 * Without even an empty login, K3s would not configure the server in containerd, and kubelet's pulls from the server
 * would go to a mirror of `*`, with the server's credential (pkg/agent/containerd/config.go).
 */
function ownConfig(config: RegistryConfig | undefined, login: Login | undefined) {
  return { auth: login ?? {}, ...(config?.tls && { tls: config.tls }) };
}

function invalid(): NodeError {
  return new NodeError(
    'RegistriesInvalid',
    'The registries.yaml made from the settings does not parse to the same content, so it was not written. Check registries.mirrors and registries.configs.',
    forPerson,
  );
}
