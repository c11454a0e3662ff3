import * as z from 'zod/mini';
import { duration, longDuration, words } from '../../settings/forms.ts';
import { about, type SettingsSection } from '../../settings/section.ts';
import { concurrency, maintenanceWindow } from './settings-forms.ts';

const drain = z.strictObject({
  restart: about(
    'Whether a node evicts its pods before a restart of K3s, although pods survive the restart.',
    z.boolean(),
  ),
  upgrade: about('Whether a node evicts its pods before an upgrade of K3s.', z.boolean()),
  reboot: about(
    'Whether a node evicts its pods before Slipway reboots the machine, which ends all pods.',
    z.boolean(),
  ),
  timeout: about('The time after which a drain ends in any case.', longDuration),
  onTimeout: about(
    'What follows if pods are left at that time: giveUp ends the turn and lets pods back on the node, proceed interrupts the node with the pods that are left, force deletes them despite their disruption budgets.',
    z.enum(['giveUp', 'proceed', 'force']),
  ),
  emptyDir: about(
    'Whether pods with an emptyDir volume, whose data a deletion destroys, are evicted or left.',
    z.enum(['leave', 'evict']),
  ),
  unmanaged: about(
    'Whether pods without a controller, which nothing creates again, are evicted or left.',
    z.enum(['leave', 'evict']),
  ),
});

const schema = about(
  'When and how a node may be interrupted: by a restart or an upgrade of K3s, or a reboot.',
  z.strictObject({
    windows: about(
      'The windows in which interruptions may begin; without windows, at any time. Neither repairs nor restarts for a credential or certificate near its end wait for a window.',
      z.array(maintenanceWindow),
    ),
    concurrency: about(
      'How many agents may be interrupted at once, as a number or as a share of all agents, at least one. Servers are interrupted one at a time.',
      concurrency,
    ),
    maxFailed: about(
      'The number of nodes that may fail before no further node is interrupted for the same reason.',
      z.int().check(z.positive('must be above zero, such as 1')),
    ),
    watchFor: about(
      'How long a node must be healthy after an upgrade, and the first agent after any interruption, before other nodes are interrupted. Set the same value on all nodes.',
      duration,
    ),
    hold: about(
      'Why this node is held, such as "under investigation". While it is set, Slipway neither starts nor restarts K3s, and installs no other release. An open tag k3s-hold overrides this setting.',
      z.optional(words),
    ),
    scheduledEvents: about(
      'What the node does about interruptions that the cloud announces for its VM, such as a reboot or the eviction of a Spot VM. `observe` reports them; `drain` also cordons and drains the node before them. With both, Slipway asks the cloud for them, which can switch the announcements on for this VM. Not every cloud announces interruptions.',
      z.enum(['off', 'observe', 'drain']),
    ),
    pause: about('True to let no node of the cluster be interrupted; set it on the servers.', z.boolean()),
    reboot: about(
      'What follows if the distribution asks for a reboot: manual only reports it, auto also reboots the machine in its turn, once for each cause.',
      z.enum(['manual', 'auto']),
    ),
    drain: about('How a node evicts its pods before an interruption.', drain),
  }),
);

export const maintenance = {
  schema,
  defaults: {
    windows: [],
    concurrency: '10%',
    maxFailed: 1,
    watchFor: '1m',
    scheduledEvents: 'off',
    pause: false,
    reboot: 'manual',
    drain: {
      restart: false,
      upgrade: false,
      reboot: true,
      timeout: '10m',
      onTimeout: 'giveUp',
      emptyDir: 'leave',
      unmanaged: 'leave',
    },
  },
} as const satisfies SettingsSection<typeof schema>;
