import { shortDigest } from '../../src/agent/engine/digest.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { WishKind } from './drawn.ts';
import type { Fleet } from './fleet.ts';
import { badRelease } from './k3s-unit.ts';
import { daysUntilDue } from './leaves.ts';
import { trueTime } from './machine.ts';

const second = 1_000;
const day = 86_400_000;
const paths = nodePaths('/');

/** Gives all nodes another wish, within a few seconds. */
export function changeWish(fleet: Fleet, kind: WishKind): void {
  fleet.changes += 1;
  switch (kind) {
    case 'certificates':
      age(fleet);
      return;
    case 'a configuration':
      fleet.wish.config = `settings: ${fleet.changes + 1}\n`;
      break;
    case 'a release':
      fleet.wish.version = `v1.36.${3 + fleet.changes}+k3s1`;
      break;
    case 'a bad release':
      fleet.wish.version = badRelease;
      break;
    case 'a reboot':
      askForReboots(fleet);
      return;
    case 'a token':
    case 'a token without consent':
      storeToken(fleet, kind === 'a token');
  }
  fleet.mustEnd &&= fleet.wish.version !== badRelease;
  tell(fleet);
}

/** Lets all distributions ask for a reboot, and at times ask again later for the same package. */
function askForReboots(fleet: Fleet): void {
  const { random, daemons, changes } = fleet;
  const again = random.chance(0.3) ? [random.between(10, 15) * 60 * second] : [];
  for (const { node } of daemons) {
    for (const at of [0, ...again]) {
      fleet.later(at + random.between(0, 20 * second), () => {
        if (!node.machine.isOff) {
          node.reboots.ask(`linux-base-${changes}`);
        }
      });
    }
  }
}

/** Stores a new version of the join token in the vault, with a consent to it or without. */
function storeToken(fleet: Fleet, isConsented: boolean): void {
  const token = `token-${fleet.changes}`;
  fleet.vault.secrets.set('k3s-token', token);
  fleet.trace.note('a person', `stores ${token}, ${isConsented ? 'with' : 'without'} a consent`);
  if (isConsented) {
    fleet.wish.token = token;
    fleet.consents = [...fleet.consents, shortDigest(token)];
  }
}

/** Gives the present wish to all daemons, each at another time. */
function tell(fleet: Fleet): void {
  const { config, version } = fleet.wish;
  fleet.trace.note('a person', `wishes ${config.trim()}, ${version}`);
  for (const daemon of fleet.daemons) {
    fleet.later(fleet.random.between(0, 20 * second), () => {
      daemon.node.machine.files.write(paths.k3s.config, config, 0o600);
      daemon.node.wishedVersion = version;
      daemon.ring();
    });
  }
}

/** Lets days pass until the certificates of all nodes are due, unless some already are. */
function age(fleet: Fleet): void {
  const share = fleet.random.pick([0.02, 0.3, 0.6, 0.9]);
  const now = trueTime(fleet.timeline);
  if (!fleet.api.nodes.some(({ leaves }) => leaves.isDue(now) && !leaves.isStuck)) {
    leap(fleet, daysUntilDue(fleet.plan.certificates, share));
  }
}

/** Lets days pass in which nothing happens. */
export function leap({ trace, timeline }: Fleet, days: number): void {
  trace.note('the fleet', `waits for ${days.toFixed(1)} days`);
  timeline.epoch += days * day;
}
