import { inlineYaml } from './inline-yaml.ts';

/** The kinds of consent, from which the settings, their documentation and every check derive. */
export const consents = {
  tokenChange: {
    about:
      'Join tokens that may replace the token of a server with SQLite, each by its digest; without effect on several servers.',
    example: '3f2a9c1b2d4e',
    takesTrue: 'forNothing',
  },
  roleChange: {
    about:
      'Rebuilds of this node as a different kind of K3s node, each for the cluster that the node leaves.',
    example: 'server-to-agent@3f2a9c1b2d4e',
    takesTrue: true,
  },
  serverChange: {
    about: 'Servers that this agent may join instead of its current one: addresses, and hashes of CAs.',
    example: 'https://10.0.0.9:6443',
    takesTrue: true,
  },
  founding: {
    about:
      'VMs that may found a cluster with embedded etcd although no claim beside the backups proves that none exists, each by its id.',
    example: '0a1b2c3d-1111-2222-3333-444455556666',
    takesTrue: false,
  },
  restart: {
    about:
      'Units that Slipway did not write, and whose K3s Slipway may restart: a unit with one start of K3s (`UNIT@START`), or a unit alone for every start by it.',
    example: 'k3s.service@3f2a9c1b2d4e',
    takesTrue: false,
  },
  otherActors: {
    about:
      'Other programs that may interrupt nodes, and in spite of which nodes take turns, such as kured in another maintenance window.',
    example: 'kured',
    takesTrue: false,
  },
  rebuiltNodes: {
    about:
      'Nodes that a server may remove from the cluster once their kubelet has not reported for ten minutes, because their VMs are gone or were rebuilt: a node with one VM (`NODE@VM`), or a node alone for every VM with its name.',
    example: 'vm-agent-2@3f2a9c1b2d4e',
    takesTrue: false,
  },
  lostFlags: {
    about: 'Flags, variables and registries of a node that K3s may lose when Slipway adopts the node.',
    example: 'kubelet-arg=max-pods=50',
    takesTrue: false,
  },
  natRemoval: {
    about:
      'Private ranges that network.nat.from no longer names, and for which this node may stop forwarding. Their hosts must have a different route.',
    example: '10.0.2.0/24',
    takesTrue: false,
  },
  imageRules: {
    about:
      "Rules of the image's firewall that reject traffic that K3s or NAT needs, and that Slipway may remove from the kernel and from the file that is loaded at boot.",
    example: 'FORWARD -j REJECT --reject-with icmp-host-prohibited',
    takesTrue: false,
  },
  secretRemoval: {
    about: 'Secrets that workloads.secrets no longer names, and that Slipway may delete from the cluster.',
    example: 'cert-manager/cloudflare-api-token',
    takesTrue: false,
  },
  chartRemoval: {
    about:
      'Charts that workloads.charts no longer names, and whose releases K3s may uninstall, with everything that they have created.',
    example: 'cert-manager',
    takesTrue: false,
  },
  foreignMirrors: {
    about:
      'Mirrors that may receive the credential of a login server although they are not login servers or use plain http, and login servers whose certificate K3s does not check.',
    example: 'myteam.azurecr.io=https://mirror.example.com',
    takesTrue: true,
  },
  identityHosts: {
    about:
      "Registries and vaults outside the domains of the VM's cloud that may receive tokens of the VM's identity.",
    example: 'registry.example.com',
    takesTrue: false,
  },
  plainHttp: {
    about:
      'URLs without TLS from which Slipway downloads code that runs as root, or to which it sends a credential.',
    example: 'http://mirror.example.com/k3s',
    takesTrue: false,
  },
  settings: {
    about: 'Settings of K3s that may change in an existing cluster, each with its new value.',
    example: 'flannel-backend=wireguard-native',
    takesTrue: false,
  },
} as const satisfies Readonly<Record<string, ConsentKind>>;

interface ConsentKind {
  readonly about: string;
  /** A subject, as a condition prints it. */
  readonly example: string;
  /**
   * True if the value `true`, which earlier releases used instead of a list of subjects, still counts as consent to
   * every subject, including later ones. With `forNothing`, the value is valid but consents to nothing, so that the
   * settings of earlier releases stay valid.
   */
  readonly takesTrue: boolean | 'forNothing';
}

export type Consent = keyof typeof consents;

const consentNames = Object.keys(consents) as readonly Consent[];

/** The part of the settings that contains consents, parsed or as written. */
export interface Consenting {
  readonly consent: { readonly [What in Consent]?: unknown };
}

/**
 * True if the settings consent to each of these subjects. The consent `true` covers all subjects if
 * `takesTrue` is true, and otherwise none.
 */
export function isConsented({ consent }: Consenting, what: Consent, ...subjects: readonly string[]): boolean {
  const given = consent[what];
  if (given === true) {
    return consents[what].takesTrue === true;
  }
  return subjects.every((subject) => listed(given).includes(subject));
}

/**
 * Returns the end of a message about a missing consent, with the line to paste: ``add `consent: { tokenChange:
 * [3f2a9c1b2d4e] }` to /etc/slipway/config.yaml``.
 *
 * The line repeats earlier consents, because a list in a settings file replaces an earlier list.
 */
export function consentAdvice(
  { consent }: Consenting,
  what: Consent,
  ...subjects: readonly string[]
): string {
  const list = [...new Set([...listed(consent[what]), ...subjects])];
  return `add \`consent: { ${what}: ${inlineYaml(list)} }\` to /etc/slipway/config.yaml`;
}

/** Returns the subjects that the settings consent to by name. */
export function consentedSubjects({ consent }: Consenting, what: Consent): readonly string[] {
  return listed(consent[what]);
}

/** Returns a warning for each consent that is `true`. */
export function consentWarnings({ consent }: Consenting): readonly string[] {
  return consentNames
    .filter((what) => consent[what] === true)
    .map(
      (what) =>
        `consent.${what}: true consents to ${extentOf(what)}. Take it out, or write what its condition prints: ` +
        `consent: { ${what}: ${inlineYaml([consents[what].example])} }`,
    );
}

function extentOf(what: Consent): string {
  return consents[what].takesTrue === true ? 'every later change of its kind as well' : 'nothing';
}

/** Returns an object with the result of `make` for each kind of consent. */
export function forEachConsent<Made>(make: (what: Consent) => Made): { readonly [What in Consent]: Made } {
  return Object.fromEntries(consentNames.map((what) => [what, make(what)])) as Record<Consent, Made>;
}

function listed(given: unknown): readonly string[] {
  return Array.isArray(given) ? given.filter((subject) => typeof subject === 'string') : [];
}
