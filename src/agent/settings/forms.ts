import * as z from 'zod/mini';
import { Secret } from '../engine/secret.ts';

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
export const hostName = `${label}(?:\\.${label})*`;
const qualifiedName = `(?:${hostName}/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?`;
const labelValue = '(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?';

/** Returns a form of text that matches `pattern`. `must` completes the sentence "this setting must ...". */
export function text(pattern: RegExp, must: string) {
  return z.string(`must ${must}; write it as text`).check(z.regex(pattern, `must ${must}`));
}

/** The form of any text that is not blank. */
export const words = z
  .string('must be text; put it in quotes')
  .check(z.regex(/\S/, 'must not be empty; give it a value, or leave it out'));

/** The form of text that is parsed to a Secret, so that plans and logs hide it. */
export const secretText = z.pipe(
  words,
  z.transform((value: string) => new Secret(value)),
);

/**
 * The form of a login: `user:password` in base64, as containerd reads `auth` (internal/cri/server/images/image_pull.go,
 * ParseAuth).
 */
export const basicAuth = z.pipe(
  words.check(
    z.refine(isBasicAuth, {
      error:
        "must be user:password in base64, as printf '%s' 'user:password' | base64 prints it; or set username and password",
    }),
  ),
  z.transform((value: string) => new Secret(value)),
);

function isBasicAuth(value: string): boolean {
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);
  return isBase64 && /^[^:]+:/.test(Buffer.from(value, 'base64').toString('utf8'));
}

/** The form of a duration such as `10s`, `5m` or `2h`, parsed to milliseconds. */
export const duration = durationOf(/^[1-9]\d*(ms|s|m|h)$/, 'be a duration above zero such as 10s, 5m or 2h');

/** The form of a duration of at least a minute, for tasks that must not run every few seconds. */
export const longDuration = durationOf(
  /^[1-9]\d*(m|h)$/,
  'be a duration of a minute or more such as 5m or 2h',
);

/** Returns the form of a duration of at most 30 days; the limit keeps timers and dates in range. */
function durationOf(pattern: RegExp, must: string) {
  const short = text(pattern, must).check(
    z.refine((value) => milliseconds(value) <= milliseconds('720h'), 'must be at most 30 days (720h)'),
  );
  return z.pipe(short, z.transform(milliseconds));
}

function milliseconds(value: string): number {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  const unit = value.replace(/\d/g, '') as keyof typeof units;
  return Number.parseInt(value, 10) * units[unit];
}

/** The form of a registry's host name, such as `myteam.azurecr.io`. */
export const loginServer = text(
  new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})+$`),
  'be a bare host name in lower case such as myteam.azurecr.io; leave out https:// and any path',
);

/** The form of an image with its registry and tag, such as `myteam.azurecr.io/base/alpine:3.22`. */
export const imageReference = text(
  new RegExp(
    `^(?=.{1,400}$)${label}(?:\\.${label})+(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`,
  ),
  'be an image with its registry and tag such as myteam.azurecr.io/base/alpine:3.22',
);

export const nodeName = text(
  new RegExp(`^(?=.{1,63}$)${hostName}$`),
  'be a Kubernetes node name: up to 63 lower-case letters, digits, dashes and dots',
);

export const ipAddress = z.union(
  [z.ipv4(), z.ipv6()],
  'must be an IP address such as 10.0.0.4, and one alone: dual stack is not supported',
);

/** The form of an entry in `network.noProxy`. Refuses a name with a port or `*.`, which would never match. */
export const directHost = z.union(
  [
    z.ipv4(),
    z.ipv6(),
    z.cidrv4(),
    z.cidrv6(),
    text(/^(?:\*|\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)$/, 'be a host'),
  ],
  'must be a host name, an address, a range or the end of names, such as 10.0.0.0/8 or .example.com',
);

export const nodeLabel = text(
  new RegExp(`^${qualifiedName}=${labelValue}$`),
  'be a label such as team=web',
).check(
  z.refine((value) => !isForeignToKubelet(value), {
    error:
      'is a label that kubelet may not give itself; use another prefix, or set it with kubectl once the node is there',
  }),
);

/**
 * True if kubelet refuses to start with this label: the domain of its key is reserved for Kubernetes, is neither
 * `node.kubernetes.io` nor `kubelet.kubernetes.io` nor a subdomain of either, and the key is not a well-known label
 * (kubelet_node_labels.go).
 */
function isForeignToKubelet(value: string): boolean {
  const key = value.split('=')[0] ?? '';
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const reserved = /(^|\.)(kubernetes|k8s)\.io$/.test(domain);
  const allowed = /(^|\.)(node|kubelet)\.kubernetes\.io$/.test(domain) || wellKnownLabels.includes(key);
  return reserved && !allowed;
}

const wellKnownLabels: readonly string[] = [
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
];

export const nodeTaint = text(
  new RegExp(`^${qualifiedName}(?:=${labelValue})?:(?:NoSchedule|PreferNoSchedule|NoExecute)$`),
  'be a taint such as dedicated=gpu:NoSchedule (or PreferNoSchedule, NoExecute)',
);

export const k3sVersion = text(
  /^v\d+\.\d+\.\d+(-rc\d+)?\+k3s\d+$/,
  'be a K3s release such as v1.36.3+k3s1; they are listed at https://github.com/k3s-io/k3s/releases',
);

export const k3sChannel = text(
  /^(stable|latest|testing|v\d+\.\d+)$/,
  'be a channel of K3s: stable, latest, testing, or a minor version such as v1.36',
);

/** Marks the forms of settings that contain the name of a secret. */
const named = z.registry<{ readonly what: 'secret' }>();

/** The form of a secret name in any cloud; the chosen cloud may allow fewer names. */
export const secretName = text(
  /^[0-9A-Za-z_./-]{1,255}$/,
  'be a secret name: letters, digits, dashes, underscores, dots and slashes',
).register(named, { what: 'secret' });

/** True if settings of this form name secrets: `secretName`, and forms derived from it with further checks. */
export function namesSecrets(form: z.core.$ZodType): boolean {
  return named.get(form)?.what === 'secret';
}

export const repositoryPath = text(
  /^(?!\/)(?!.*(^|\/)\.\.(\/|$))\S+$/,
  'be a path inside the repository such as clusters/production, without a leading / and without ..',
);

/** The form of the name of an entry in `imds.allow`. Its characters are safe in a comment of an nftables ruleset. */
export const guestName = text(
  /^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,62}$/,
  'be a short name: up to 63 letters, digits, blanks, dots, dashes, underscores and slashes',
);

export const addressRange = z.union(
  [z.ipv4(), z.cidrv4()],
  'must be an IPv4 address or a range such as 10.42.3.7 or 10.42.3.0/24',
);

/**
 * The form of a user id other than root's. The maximum excludes 4294967295, which is -1 in 32 bits and no user's id.
 */
export const userId = z
  .int('must be a user id: a whole number, without quotes')
  .check(
    z.positive('must be above zero: root is always let through'),
    z.maximum(4_294_967_294, 'must be a user id, at most 4294967294'),
  );
