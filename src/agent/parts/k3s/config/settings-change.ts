import type { HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { heldBack } from '../../../resources/combinators.ts';
import { readableText } from '../../../resources/file-text.ts';
import { isMap } from '../../../settings/path.ts';
import { readK3sYaml } from '../../../settings/yaml.ts';
import { configFlags, configuredFlags, flagOf } from '../flags/given-flags.ts';
import {
  changeOf,
  type GuardedKey,
  type GuardedValues,
  guardedKeys,
  guardedValues,
  holdsSecret,
  isFormerEndpoint,
  usualValues,
} from '../flags/guarded-keys.ts';
import { startFlags } from '../flags/start-flags.ts';
import { keepingMembership } from '../membership/founding/kept-membership.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { kindOf } from '../membership/kinds/kinds.ts';
import { type HeldChange, irreversible, mayChange } from './held-change.ts';
import { type StartedWith, startedEndpoint, startedWith } from './started-with.ts';

/**
 * Checks that the cluster settings of a server still have the values that Slipway recorded when K3s started. Throws
 * `SettingsIrreversible` for a new value. If the setting may change with consent, throws only until consent.settings
 * names the new value. Meanwhile, all other settings are applied.
 */
export function settingsChange(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Consent/settings',
    summary: 'keep the settings that cannot change',
    condition: 'K3sConfig',
    needs,
    async check(host) {
      const held = await heldChanges(host, node);
      if (held.length > 0) {
        throw irreversible(node, held);
      }
      return inSync();
    },
  };
}

/**
 * Delays the Resource's starts and restarts of K3s while a start would use a new value without consent, either because
 * an operator's file sets the new value or because the old value is lost.
 */
export function unlessIrreversible(node: K3sNode, resource: Resource): Resource {
  return heldBack(resource, async (host) => {
    const written = await writtenConfig(host, node);
    const taken = (await heldChanges(host, node)).filter((change) => !isKept(change, written));
    return taken.length === 0 ? undefined : irreversible(node, taken);
  });
}

/**
 * Returns the node with the value that K3s runs with in place of each held-back change in the settings. Omits a value
 * that is lost.
 */
export async function keepingSettings(host: HostReader, node: K3sNode): Promise<K3sNode> {
  const held = (await heldChanges(host, node)).filter(({ origin }) => origin === undefined);
  if (held.length === 0) {
    return node;
  }
  const written = await writtenConfig(host, node);
  const wanted = Object.entries(node.settings.k3s.config).filter(
    ([key]) => !held.some((change) => change.key === flagOf(key)),
  );
  const kept = held.flatMap((change) => {
    const value = keptValue(change, written);
    return value === undefined ? [] : [[change.key, value] as const];
  });
  // Keeps the order of the file: a new order would rewrite the file and restart K3s for no reason.
  const order = Object.keys(written.values);
  const at = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const entries = [...wanted, ...kept].sort(([a], [b]) => at(a) - at(b));
  const k3s = {
    ...node.settings.k3s,
    config: Object.fromEntries(entries) as typeof node.settings.k3s.config,
  };
  return { ...node, settings: { ...node.settings, k3s } };
}

/**
 * The values in the K3s configuration file on this machine: as written, and in the form in which Slipway compares them.
 */
interface WrittenConfig {
  readonly values: Readonly<Record<string, unknown>>;
  readonly guarded: GuardedValues;
}

async function writtenConfig(host: HostReader, { paths }: K3sNode): Promise<WrittenConfig> {
  const { config } = paths.k3s;
  const text = await readableText(host, config);
  const { value } = readK3sYaml(text, config);
  const entries = Object.entries(isMap(value) ? value : {}).map(
    ([key, each]) => [flagOf(key), each] as const,
  );
  return { values: Object.fromEntries(entries), guarded: guardedValues(configFlags(text, config)) };
}

function isKept(change: HeldChange, written: WrittenConfig): boolean {
  if (change.origin !== undefined) {
    return false;
  }
  return change.value === undefined || keptValue(change, written) !== undefined;
}

/**
 * Returns the value that K3s runs with, as written in config.yaml if that file still has this value, otherwise as
 * recorded at the start. Returns `undefined` for a secret that config.yaml no longer has, because only the digest of a
 * secret is recorded.
 */
function keptValue({ key, value }: HeldChange, written: WrittenConfig): unknown {
  if (written.guarded[key] === value) {
    return written.values[key];
  }
  return holdsSecret(key) ? undefined : value;
}

async function heldChanges(host: HostReader, node: K3sNode): Promise<readonly HeldChange[]> {
  if (!isServer(node) || !(await joinedCluster(host, node))) {
    return [];
  }
  const started = await startedWith(host, node.paths);
  if (started === undefined) {
    return [];
  }
  const { config } = node.paths.k3s;
  const own = await keepingMembership(host, node);
  const keys = { ...kindOf(own).writes(own, { hasAgentToken: false }), ...node.settings.k3s.config };
  const given = configuredFlags(keys, config);
  const flags = await startFlags(host, { kind: 'server', paths: node.paths, config: given });
  const wanted = guardedValues(flags);
  // Embedded etcd that exists wins over these flags (pkg/cluster/managed.go), and a removed or empty server must join.
  const isFree = (key: string) =>
    own.settings.k3s.datastore === 'etcd' && ['cluster-init', 'server'].includes(key);
  return guardedKeys
    .filter((key) => !isFree(key))
    .map((key): HeldChange => {
      const value = startedValue(started, key);
      const usual = usualValues[key] ?? '';
      const last = flags.findLast(({ name }) => name === key);
      const origin = last?.path === config ? undefined : last;
      const isFormer = key === 'datastore-endpoint' && isFormerEndpoint(value, last?.values.at(-1));
      const desired = (isFormer ? value : wanted[key]) ?? usual;
      return { key, value, observed: value ?? usual, desired, origin };
    })
    .filter(({ observed, desired }) => observed !== desired)
    .filter((change) => !mayChange(node, change));
}

function startedValue(started: StartedWith, key: GuardedKey): string | undefined {
  return key === 'datastore-endpoint'
    ? startedEndpoint(started)
    : started[changeOf(key) === 'never' ? 'first' : 'last'][key];
}
