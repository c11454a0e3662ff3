/**
 * The flags of `k3s server` and `k3s agent`, and how config files become flags.
 *
 * Models pkg/cli/cmds/{agent,server}.go (names and types), pkg/configfilearg/parser.go (files to arguments, unknown
 * keys) and urfave/cli's refusals, as of K3s's main branch in August 2026. Separate from Slipway's table of flags, so
 * that each table checks the other.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fatal, log } from './k3s-log.ts';
import { parseYaml } from './k3s-yaml.ts';

export type K3sCommand = 'server' | 'agent';

/** The flags that K3s was started with. A missing flag is `undefined`, false or an empty list. */
export interface K3sOptions {
  readonly text: (flag: string) => string | undefined;
  readonly yes: (flag: string) => boolean;
  readonly list: (flag: string) => readonly string[];
  /** All arguments; the arguments from config files come first. */
  readonly args: readonly string[];
}

/**
 * Reads K3S_* variables, config files and arguments. A later source takes precedence, but lists from config files and
 * arguments are joined. Exits with K3s's error for an invalid source.
 */
export function readOptions(
  command: K3sCommand,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  defaultConfig: string,
): K3sOptions {
  const values = new Map<string, string[]>();
  for (const [flag, names] of Object.entries(variables)) {
    const found = names.map((name) => environment[name]).find((value) => value !== undefined && value !== '');
    if (found !== undefined) {
      values.set(flag, [found]);
    }
  }
  const types = flagTypes(command);
  const all = [...fileArgs(command, args, environment, defaultConfig), ...args];
  for (const [flag, given] of group(parseArgs(all, types))) {
    values.set(flag, types.get(flag) === 'slice' ? given : given.slice(-1));
  }
  return {
    text: (flag) => values.get(flag)?.at(-1),
    yes: (flag) => ['true', '1', 't', 'T', 'TRUE', 'True'].includes(values.get(flag)?.at(-1) ?? 'false'),
    list: (flag) => (values.get(flag) ?? []).flatMap((value) => value.split(',')),
    args: all,
  };
}

type FlagType = 'string' | 'bool' | 'int' | 'duration' | 'slice';

function flagTypes(command: K3sCommand): ReadonlyMap<string, FlagType> {
  const lists = command === 'server' ? [both, serverOnly] : [both, agentOnly];
  return new Map(
    lists.flatMap((list) =>
      Object.entries(list).flatMap(([type, names]) =>
        names
          .split(/\s+/)
          .filter(Boolean)
          .map((name): [string, FlagType] => [name, type as FlagType]),
      ),
    ),
  );
}

/**
 * Returns the settings in the config files as arguments. For unknown keys, `server` logs a warning and drops them;
 * `agent` keeps them.
 */
function fileArgs(
  command: K3sCommand,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  defaultConfig: string,
): string[] {
  const path = environment.K3S_CONFIG_FILE || explicitConfig(args) || defaultConfig;
  const files = [path, ...dropIns(`${path}.d`)].filter((file) => existsSync(file));
  const merged = new Map<string, string[]>();
  for (const file of files) {
    for (const [key, value] of readConfig(file)) {
      const append = key.endsWith('+');
      const flag = append ? key.slice(0, -1) : key;
      merged.set(flag, [...(append ? (merged.get(flag) ?? []) : []), ...strings(value)]);
    }
  }
  const types = flagTypes(command);
  return [...merged].flatMap(([flag, given]) => {
    if (command === 'server' && !types.has(aliases[flag] ?? flag)) {
      log('warning', `Unknown flag --${flag} found in config.yaml, skipping`);
      return [];
    }
    const dashes = flag.length === 1 ? '-' : '--';
    return given.map((value) => `${dashes}${flag}=${value}`);
  });
}

function explicitConfig(args: readonly string[]): string | undefined {
  for (const [index, arg] of args.entries()) {
    if (['--config', '-config', '-c'].includes(arg)) {
      return args[index + 1];
    }
    const joined = /^(?:--?config|-c)=(.*)$/.exec(arg);
    if (joined) {
      return joined[1];
    }
  }
  return undefined;
}

function dropIns(directory: string): string[] {
  if (!existsSync(directory)) {
    return [];
  }
  return readdirSync(directory)
    .filter((name) => /\.ya?ml$/i.test(name))
    .sort()
    .map((name) => join(directory, name));
}

function readConfig(file: string): [string, unknown][] {
  let found: unknown;
  try {
    found = parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    fatal(error instanceof Error ? error.message : String(error));
  }
  if (found === null || found === undefined) {
    return [];
  }
  if (typeof found !== 'object' || Array.isArray(found)) {
    // K3s's error quotes at most seven characters of the value.
    const text = `!!str \`${String(found).slice(0, 7)}...\``;
    fatal(`yaml: unmarshal errors:\n  line 1: cannot unmarshal ${text} into yaml.MapSlice`);
  }
  return Object.entries(found);
}

function strings(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.map((item) => asGoPrints(item));
  }
  return [asGoPrints(value)];
}

function asGoPrints(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (typeof value !== 'object') {
    return String(value);
  }
  return `map[${Object.entries(value)
    .map(([key, item]) => `${key}:${asGoPrints(item)}`)
    .join(' ')}]`;
}

function parseArgs(args: readonly string[], types: ReadonlyMap<string, FlagType>): [string, string][] {
  const found: [string, string][] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const match = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(arg);
    if (!match?.[1]) {
      continue;
    }
    const flag = aliases[match[1]] ?? match[1];
    const type = types.get(flag);
    if (type === undefined) {
      refuse(`flag provided but not defined: -${flag}`);
    }
    const value = match[2] ?? (type === 'bool' ? 'true' : rest.shift());
    if (value === undefined) {
      refuse(`flag needs an argument: -${flag}`);
    }
    verify(flag, type, value);
    found.push([flag, value]);
  }
  return found;
}

function group(found: readonly [string, string][]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [flag, value] of found) {
    groups.set(flag, [...(groups.get(flag) ?? []), value]);
  }
  return groups;
}

function verify(flag: string, type: FlagType, value: string): void {
  if (type === 'int' && !/^-?\d+$/.test(value)) {
    refuse(`invalid value "${value}" for flag -${flag}: parse error`);
  }
  if (type === 'bool' && !/^(1|0|t|f|T|F|true|false|TRUE|FALSE|True|False)$/.test(value)) {
    refuse(`invalid boolean value "${value}" for -${flag}: parse error`);
  }
  if (type === 'duration' && !/^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$|^0$/.test(value)) {
    refuse(`invalid value "${value}" for flag -${flag}: parse error`);
  }
}

function refuse(message: string): never {
  process.stdout.write(`Incorrect Usage: ${message}\n\n`);
  fatal(`Error: ${message}`);
}

const aliases: Readonly<Record<string, string>> = {
  c: 'config',
  t: 'token',
  s: 'server',
  d: 'data-dir',
  o: 'write-kubeconfig',
  l: 'log',
  i: 'node-ip',
};

const variables: Readonly<Record<string, readonly string[]>> = {
  server: ['K3S_URL'],
  token: ['K3S_TOKEN'],
  'token-file': ['K3S_TOKEN_FILE'],
  'agent-token': ['K3S_AGENT_TOKEN'],
  'agent-token-file': ['K3S_AGENT_TOKEN_FILE'],
  'data-dir': ['K3S_DATA_DIR'],
  'datastore-endpoint': ['K3S_DATASTORE_ENDPOINT'],
  'datastore-cafile': ['K3S_DATASTORE_CAFILE'],
  'datastore-certfile': ['K3S_DATASTORE_CERTFILE'],
  'datastore-keyfile': ['K3S_DATASTORE_KEYFILE'],
  'node-name': ['K3S_NODE_NAME'],
  'write-kubeconfig': ['K3S_KUBECONFIG_OUTPUT'],
  'write-kubeconfig-mode': ['K3S_KUBECONFIG_MODE'],
};

const both = {
  string: `bind-address config container-runtime-endpoint data-dir default-runtime flannel-cni-conf flannel-conf
    flannel-iface image-credential-provider-bin-dir image-credential-provider-config image-service-endpoint log
    node-name pause-image private-registry resolv-conf server snapshotter token token-file vmodule vpn-auth
    vpn-auth-file`,
  bool: `alsologtostderr debug disable-default-registry-endpoint docker enable-pprof nonroot-devices
    prefer-bundled-bin protect-kernel-defaults rootless selinux with-node-id`,
  int: 'lb-server-port v',
  slice: `airgap-extra-registry kube-proxy-arg kubelet-arg node-external-dns node-external-ip node-internal-dns
    node-ip node-label node-taint`,
} satisfies Partial<Record<FlagType, string>>;

const serverOnly = {
  string: `advertise-address agent-token agent-token-file apiserver-bind-address cluster-domain
    cluster-reset-restore-path datastore-cafile datastore-certfile datastore-endpoint datastore-keyfile
    default-local-storage-path egress-selector-mode etcd-s3-access-key etcd-s3-bucket etcd-s3-bucket-lookup-type
    etcd-s3-config-secret etcd-s3-endpoint etcd-s3-endpoint-ca etcd-s3-folder etcd-s3-proxy etcd-s3-region
    etcd-s3-secret-key etcd-s3-session-token etcd-snapshot-dir etcd-snapshot-name etcd-snapshot-schedule-cron
    flannel-backend helm-job-image secrets-encryption-provider service-node-port-range servicelb-namespace
    system-default-registry write-kubeconfig write-kubeconfig-group write-kubeconfig-mode write-kubeconfig-name`,
  bool: `cluster-init cluster-reset disable-agent disable-apiserver disable-cloud-controller
    disable-controller-manager disable-etcd disable-helm-controller disable-kube-proxy disable-network-policy
    disable-scheduler embedded-registry etcd-disable-snapshots etcd-expose-metrics etcd-s3 etcd-s3-insecure
    etcd-s3-skip-ssl-verify etcd-snapshot-compress flannel-external-ip flannel-ipv6-masq kine-tls
    secrets-encryption supervisor-metrics tls-san-security`,
  int: `advertise-port apiserver-port etcd-s3-retention etcd-snapshot-retention https-listen-port supervisor-port`,
  duration: 'etcd-s3-timeout etcd-snapshot-reconcile-interval',
  slice: `cluster-cidr cluster-dns disable etcd-arg helm-controller-arg kube-apiserver-arg kube-cloud-controller-arg
    kube-cloud-controller-manager-arg kube-controller-arg kube-controller-manager-arg kube-scheduler-arg
    service-cidr tls-san`,
} satisfies Partial<Record<FlagType, string>>;

const agentOnly = { bool: 'disable-apiserver-lb' } satisfies Partial<Record<FlagType, string>>;
