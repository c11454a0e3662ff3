import { consentAdvice, isConsented } from '../config/consents.ts';
import { NodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import { inSync, type Resource } from '../core/resource.ts';
import { dropIns, type K3sValues, valuesIn } from './config-values.ts';
import { changeOf, type GuardedKey, guardedKeys, textOf } from './guarded-keys.ts';
import { joinedCluster } from './joined.ts';
import type { K3sNode } from './node.ts';
import { guarded, startedWith } from './started-with.ts';

/**
 * The settings of a server's cluster stay as K3s runs with them: another value is `SettingsIrreversible`, until
 * consent.settings names it where consent can.
 *
 * The other settings are applied meanwhile. What K3s runs with is what its unit noted at its start.
 */
export function settingsChange(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Consent/settings',
    summary: 'keep the settings that cannot change',
    condition: 'K3sConfig',
    needs,
    async check(host) {
      const held = await heldChanges(host, node);
      if (held.length > 0) throw irreversible(node, held);
      return inSync();
    },
  };
}

/** The node with the settings that K3s runs with in place of those that are held back. */
export async function keepingSettings(host: HostReader, node: K3sNode): Promise<K3sNode> {
  const held = (await heldChanges(host, node)).filter(({ file }) => file === undefined);
  if (held.length === 0) return node;
  const written = await valuesIn(host, node.paths.k3s.config);
  const wanted = Object.entries(node.settings.k3s.config).filter(
    ([key]) => !held.some((change) => change.key === key.replace(/\+$/, '')),
  );
  const kept = held.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value] as const]));
  // In the order of the file, so that it is not rewritten, and K3s restarted, for nothing.
  const order = Object.keys(written);
  const at = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const entries = [...wanted, ...kept].sort(([a], [b]) => at(a) - at(b));
  const k3s = {
    ...node.settings.k3s,
    config: Object.fromEntries(entries) as typeof node.settings.k3s.config,
  };
  return { ...node, settings: { ...node.settings, k3s } };
}

/** One key whose change is held back. */
interface HeldChange {
  readonly key: GuardedKey;
  /** As K3s runs with it. */
  readonly value: unknown;
  readonly observed: string;
  readonly desired: string;
  /** The operator's file that has the new value; `undefined` for the settings. */
  readonly file: string | undefined;
}

async function heldChanges(host: HostReader, node: K3sNode): Promise<readonly HeldChange[]> {
  if (node.role.k3s !== 'server' || !(await joinedCluster(host, node))) return [];
  const started = await startedWith(host, node.paths);
  if (started === undefined) return [];
  const files = await dropIns(host, node.paths);
  const wanted = guarded(
    Object.assign({}, plain(node.settings.k3s.config), ...files.map(({ values }) => values)),
  );
  return guardedKeys
    .map((key): HeldChange => {
      const value = started[changeOf(key) === 'never' ? 'first' : 'last'][key];
      const file = files.findLast(({ values }) => values[key] !== undefined)?.path;
      return { key, value, observed: textOf(key, value), desired: textOf(key, wanted[key]), file };
    })
    .filter(({ observed, desired }) => observed !== desired)
    .filter((change) => !mayChange(node, change));
}

function plain(config: K3sValues): K3sValues {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/\+$/, ''), value]));
}

function mayChange({ settings }: K3sNode, change: HeldChange): boolean {
  return changeOf(change.key) === 'consent' && isConsented(settings, 'settings', subject(change));
}

function subject({ key, desired }: HeldChange): string {
  return `${key}=${desired}`;
}

function irreversible({ settings }: K3sNode, held: readonly HeldChange[]): NodeError {
  const possible = held.filter(({ key }) => changeOf(key) === 'consent').map(subject);
  const repair =
    possible.length === 0
      ? 'Put the old values back.'
      : `Put the old values back, or, to interrupt the network of all pods for the change, ${consentAdvice(settings, 'settings', ...possible)}.`;
  return new NodeError('SettingsIrreversible', [...held.map(told), repair].join(' '), {
    retry: { pace: 'slow' },
    blocks: false,
  });
}

const why = {
  never: 'It cannot change while the cluster lives; only a new cluster can have another.',
  notYet: 'Slipway does not change it on a living cluster.',
  consent: 'It was not changed.',
} as const;

function told({ key, observed, desired, file }: HeldChange): string {
  const where = file === undefined ? `k3s.config.${key}` : `${key} in ${file}`;
  return `${where} is ${desired || 'not set'} now, and K3s runs with ${observed || 'none'}. ${why[changeOf(key)]}`;
}
