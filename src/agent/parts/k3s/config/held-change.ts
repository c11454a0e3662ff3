import { NodeError } from '../../../engine/errors.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import type { GivenFlag } from '../flags/given-flags.ts';
import { changeOf, type GuardedKey, type PossibleChange } from '../flags/guarded-keys.ts';

/** A change of one key that is held back. */
export interface HeldChange {
  readonly key: GuardedKey;
  /** The value with which K3s started; `undefined` if the value was not set. */
  readonly value: string | undefined;
  readonly observed: string;
  readonly desired: string;
  /** The flag in another file that gives K3s the new value; `undefined` if the settings do. */
  readonly origin: GivenFlag | undefined;
}

/** True if the settings consent to the change, and a change of this key is possible. */
export function mayChange({ settings }: K3sNode, change: HeldChange): boolean {
  return mode(change) === 'consent' && isConsented(settings, 'settings', consentSubject(change));
}

function mode({ key, observed, desired }: HeldChange): PossibleChange {
  return changeOf(key, observed, desired);
}

function consentSubject({ key, desired }: HeldChange): string {
  return `${key}=${desired}`;
}

/** Returns `SettingsIrreversible` with each change, its reason and the repair. */
export function irreversible({ settings }: K3sNode, held: readonly HeldChange[]): NodeError {
  const possible = held.filter((change) => mode(change) === 'consent');
  const cost = possible.every(({ key }) => key === 'datastore-endpoint')
    ? 'once the new database has the data of the cluster'
    : 'to interrupt the network of all pods for the change';
  const repair =
    possible.length === 0
      ? 'Put the old values back.'
      : `Put the old values back, or, ${cost}, ${consentAdvice(settings, 'settings', ...possible.map(consentSubject))}.`;
  return new NodeError('SettingsIrreversible', [...held.map(toldChange), repair].join(' '), advisory);
}

const why = {
  never: 'It cannot change while the cluster lives; only a new cluster can have another.',
  notYet: 'Slipway does not change it on a living cluster.',
  consent: 'It was not changed.',
} as const;

function toldChange({ key, observed, desired, origin }: HeldChange): string {
  const where = origin === undefined ? `k3s.config.${key}` : `${key} in ${origin.path}, line ${origin.line}`;
  return `${where} is ${desired || 'not set'} now, and K3s runs with ${observed || 'none'}. ${why[changeOf(key, observed, desired)]}`;
}
