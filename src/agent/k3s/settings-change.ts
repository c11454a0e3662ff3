import { consentAdvice, isConsented } from '../config/consents.ts';
import { NodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import { inSync, type Resource } from '../core/resource.ts';
import { digest } from '../resources/digest.ts';
import { heldBack } from '../resources/held-back.ts';
import { type K3sValues, valuesIn } from './config-values.ts';
import { dropInFlags } from './flags.ts';
import type { GivenFlag } from './given-flags.ts';
import { changeOf, type GuardedKey, guardedKeys, holdsSecret, textOf } from './guarded-keys.ts';
import { joinedCluster } from './joined.ts';
import type { K3sNode } from './node.ts';
import { guarded, startedWith } from './started-with.ts';
import { dropInStart, variableFlags } from './unit-flags.ts';

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

/**
 * The same Resource, which neither starts nor restarts K3s while a start would take another value all the same: from a
 * file of the operator's, or because the old value is nowhere to be had.
 */
export function unlessIrreversible(node: K3sNode, resource: Resource): Resource {
  return heldBack(resource, async (host) => {
    const written = await valuesIn(host, node.paths.k3s.config);
    const taken = (await heldChanges(host, node)).filter((change) => !isKept(change, written));
    return taken.length === 0 ? undefined : irreversible(node, taken);
  });
}

/** The node with the settings that K3s runs with in place of those that are held back. */
export async function keepingSettings(host: HostReader, node: K3sNode): Promise<K3sNode> {
  const held = (await heldChanges(host, node)).filter(({ origin }) => origin === undefined);
  if (held.length === 0) return node;
  const written = await valuesIn(host, node.paths.k3s.config);
  const wanted = Object.entries(node.settings.k3s.config).filter(
    ([key]) => !held.some((change) => change.key === key.replace(/\+$/, '')),
  );
  const kept = held.flatMap((change) => {
    const value = keptValue(change, written);
    return value === undefined ? [] : [[change.key, value] as const];
  });
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

function isKept(change: HeldChange, written: K3sValues): boolean {
  if (change.origin !== undefined) return false;
  return change.value === undefined || keptValue(change, written) !== undefined;
}

/** What K3s runs with; of a secret there is only a digest, and the configuration has it if it has not been lost. */
function keptValue({ key, value }: HeldChange, written: K3sValues): unknown {
  if (!holdsSecret(key)) return value;
  return digest(String(written[key])) === value ? written[key] : undefined;
}

/** One key whose change is held back. */
interface HeldChange {
  readonly key: GuardedKey;
  /** As K3s runs with it. */
  readonly value: unknown;
  readonly observed: string;
  readonly desired: string;
  /** Where another file than the configuration gives K3s the new value; `undefined` for the settings. */
  readonly origin: GivenFlag | undefined;
}

async function heldChanges(host: HostReader, node: K3sNode): Promise<readonly HeldChange[]> {
  if (node.role.k3s !== 'server' || !(await joinedCluster(host, node))) return [];
  const started = await startedWith(host, node.paths);
  if (started === undefined) return [];
  const wanted = await wantedValues(host, node);
  const values = guarded(Object.fromEntries(wanted.map(({ name, value }) => [name, value])));
  return guardedKeys
    .map((key): HeldChange => {
      const value = started[changeOf(key) === 'never' ? 'first' : 'last'][key];
      const origin = wanted.findLast(({ name }) => name === key)?.origin;
      return { key, value, observed: textOf(key, value), desired: textOf(key, values[key]), origin };
    })
    .filter(({ observed, desired }) => observed !== desired)
    .filter((change) => !mayChange(node, change));
}

interface WantedValue {
  readonly name: string;
  readonly value: unknown;
  readonly origin?: GivenFlag;
}

/** What a start would give K3s, later ones winning. */
async function wantedValues(host: HostReader, { settings, paths }: K3sNode): Promise<readonly WantedValue[]> {
  const at = { kind: 'server', paths } as const;
  const given = (flag: GivenFlag): WantedValue => ({ name: flag.name, value: flag.values, origin: flag });
  const configured = Object.entries(settings.k3s.config);
  return [
    ...(await variableFlags(host, at)).map(given),
    ...configured.map(([key, value]): WantedValue => ({ name: key.replace(/\+$/, ''), value })),
    ...(await dropInFlags(host, paths)).map(given),
    ...((await dropInStart(host, at)) ?? []).map(given),
  ];
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

function told({ key, observed, desired, origin }: HeldChange): string {
  const where = origin === undefined ? `k3s.config.${key}` : `${key} in ${origin.path}, line ${origin.line}`;
  return `${where} is ${desired || 'not set'} now, and K3s runs with ${observed || 'none'}. ${why[changeOf(key)]}`;
}
