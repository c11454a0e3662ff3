import { findRole } from '../../../../roles/index.ts';
import { nodeLabel, nodeTaint } from '../../../settings/forms.ts';
import { nearest } from '../../../settings/nearest.ts';
import { mapAt, type Problem, valueAt } from '../../../settings/path.ts';

export type K3sCommand = 'server' | 'agent';

/** The type of a key: a Duration is written as in Go (`15s`); a StringSlice is a string or a list of strings. */
export type K3sKeyType = 'String' | 'Bool' | 'Int' | 'Duration' | 'StringSlice';

export interface K3sKey {
  readonly name: string;
  readonly type: K3sKeyType;
  readonly commands: readonly K3sCommand[];
}

/**
 * A key that the K3s command would refuse or misread. The message states the fault and, if the fault does not show how
 * to correct it, the repair after a semicolon.
 */
export interface K3sKeyProblem {
  readonly key: string;
  readonly message: string;
}

/**
 * Returns the problems that K3s would have with a configuration; empty if it has none. `k3s agent` exits if a key is
 * unknown, while `k3s server` only warns. `key+` appends to a list (docs.k3s.io, configuration file).
 */
export function checkK3sConfig(
  command: K3sCommand,
  config: Readonly<Record<string, unknown>>,
): readonly K3sKeyProblem[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const message = keyProblem(command, key, value);
    return message ? [{ key, message }] : [];
  });
}

/**
 * Returns the problems of `k3s.config` in the settings as written. If the role is unknown, returns only problems with
 * keys that both K3s commands reject.
 */
export function k3sSettingsProblems(written: unknown): readonly Problem[] {
  const command = commandOf(String(valueAt(written, ['role'])), written);
  const config = mapAt(written, ['k3s', 'config']);
  const [problems = [], ...others] = (command ? [command] : commands).map((one) =>
    checkK3sConfig(one, config),
  );
  return problems
    .filter(({ key }) => others.every((other) => other.some((problem) => problem.key === key)))
    .map(({ key, message }) => ({ path: ['k3s', 'config', key], message }));
}

/** Returns the K3s command of a role, built in or defined in the settings; `undefined` for an unknown role. */
function commandOf(role: string, written: unknown): K3sCommand | undefined {
  const defined = valueAt(written, ['roles', role.trim().toLowerCase(), 'k3s']);
  return findRole(role)?.k3s ?? commands.find((command) => command === defined);
}

function keyProblem(command: K3sCommand, written: string, value: unknown): string | undefined {
  const appends = written.endsWith('+');
  const name = appends ? written.slice(0, -1) : written;
  const key = k3sKeys.find((candidate) => candidate.name === name);
  if (!key) {
    return unknownKey(command, name);
  }
  if (!key.commands.includes(command)) {
    return `is a key of k3s ${key.commands.join(' and ')}, not of k3s ${command}; leave it out on this node`;
  }
  if (appends && key.type !== 'StringSlice') {
    return `is not a list, so nothing can be appended; write ${name}`;
  }
  return fits[key.type](value) ? itemProblem(name, value) : `must be ${expected[key.type]}`;
}

/** Returns the first problem in a list or comma-separated string of labels or taints; otherwise `undefined`. */
function itemProblem(name: string, value: unknown): string | undefined {
  const form = itemForms[name];
  const items = form ? [value].flat().flatMap((item) => String(item).split(',')) : [];
  const faults = items.flatMap((item) => form?.safeParse(item).error?.issues ?? []);
  return faults[0]?.message;
}

/** The forms of labels and taints. K3s does not check them; with an invalid one, kubelet exits when it starts. */
const itemForms: Readonly<Record<string, typeof nodeLabel | undefined>> = {
  'node-label': nodeLabel,
  'node-taint': nodeTaint,
};

function unknownKey(command: K3sCommand, name: string): string {
  const known = k3sKeys.filter(({ commands }) => commands.includes(command));
  const meant = nearest(
    name,
    known.map((key) => key.name),
  );
  return `is not a key of k3s ${command}; ${meant ? `did you mean \`${meant}\`?` : `k3s ${command} --help lists them`}`;
}

const expected = {
  String: 'text',
  Bool: 'true or false',
  Int: 'a whole number',
  Duration: 'a duration such as 30s or 5m0s',
  StringSlice: 'a list of texts, or one text',
} as const satisfies Record<K3sKeyType, string>;

/**
 * The validity check for each type. K3s turns every value into the string of a flag, so `"true"` is a valid Bool and a
 * number is a valid String.
 */
const fits = {
  String: (value) => typeof value === 'string' || typeof value === 'number',
  Bool: (value) => /^(true|false)$/.test(String(value)),
  Int: (value) => /^-?\d+$/.test(String(value)),
  Duration: (value) => typeof value === 'string' && /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value),
  StringSlice: (value) =>
    [value].flat().every((item) => typeof item === 'string' || typeof item === 'number'),
} as const satisfies Record<K3sKeyType, (value: unknown) => boolean>;

const commands: readonly K3sCommand[] = ['server', 'agent'];

/**
 * Every key of a K3s configuration (pkg/cli/cmds: agent.go `NewAgentCommand`, server.go `ServerFlags`; August 2026).
 */
export const k3sKeys: readonly K3sKey[] = [
  ...keys(
    commands,
    'String',
    `
    bind-address config container-runtime-endpoint data-dir default-runtime flannel-cni-conf
    flannel-conf flannel-iface image-credential-provider-bin-dir image-credential-provider-config
    image-service-endpoint log node-name pause-image private-registry resolv-conf server snapshotter
    token token-file vmodule vpn-auth vpn-auth-file`,
  ),
  ...keys(
    commands,
    'Bool',
    `
    alsologtostderr debug disable-default-registry-endpoint docker enable-pprof nonroot-devices
    prefer-bundled-bin protect-kernel-defaults rootless selinux with-node-id`,
  ),
  ...keys(commands, 'Int', 'lb-server-port v'),
  ...keys(
    commands,
    'StringSlice',
    `
    airgap-extra-registry kube-proxy-arg kubelet-arg node-external-dns node-external-ip
    node-internal-dns node-ip node-label node-taint`,
  ),
  ...keys(
    ['server'],
    'String',
    `
    advertise-address agent-token agent-token-file apiserver-bind-address cluster-domain
    cluster-reset-restore-path datastore-cafile datastore-certfile datastore-endpoint
    datastore-keyfile default-local-storage-path egress-selector-mode etcd-s3-access-key
    etcd-s3-bucket etcd-s3-bucket-lookup-type etcd-s3-config-secret etcd-s3-endpoint
    etcd-s3-endpoint-ca etcd-s3-folder etcd-s3-proxy etcd-s3-region etcd-s3-secret-key
    etcd-s3-session-token etcd-snapshot-dir etcd-snapshot-name etcd-snapshot-schedule-cron
    flannel-backend helm-job-image secrets-encryption-provider service-node-port-range
    servicelb-namespace system-default-registry write-kubeconfig write-kubeconfig-group
    write-kubeconfig-mode write-kubeconfig-name`,
  ),
  ...keys(
    ['server'],
    'Bool',
    `
    cluster-init cluster-reset disable-agent disable-apiserver disable-cloud-controller
    disable-controller-manager disable-etcd disable-helm-controller disable-kube-proxy
    disable-network-policy disable-scheduler embedded-registry etcd-disable-snapshots
    etcd-expose-metrics etcd-s3 etcd-s3-insecure etcd-s3-skip-ssl-verify etcd-snapshot-compress
    flannel-external-ip flannel-ipv6-masq kine-tls secrets-encryption supervisor-metrics
    tls-san-security`,
  ),
  ...keys(
    ['server'],
    'Int',
    `
    advertise-port apiserver-port etcd-s3-retention etcd-snapshot-retention https-listen-port
    supervisor-port`,
  ),
  ...keys(['server'], 'Duration', 'etcd-s3-timeout etcd-snapshot-reconcile-interval'),
  ...keys(
    ['server'],
    'StringSlice',
    `
    cluster-cidr cluster-dns disable etcd-arg helm-controller-arg kube-apiserver-arg
    kube-cloud-controller-arg kube-cloud-controller-manager-arg kube-controller-arg
    kube-controller-manager-arg kube-scheduler-arg service-cidr tls-san`,
  ),
  ...keys(['agent'], 'Bool', 'disable-apiserver-lb'),
];

function keys(commands: readonly K3sCommand[], type: K3sKeyType, names: string): readonly K3sKey[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => ({ name, type, commands }));
}
