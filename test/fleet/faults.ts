import { rotationSteps } from '../lab/standins/k3s-bootstrap.ts';
import type { Daemon } from './daemon.ts';
import type { Fleet } from './fleet.ts';

const second = 1_000;
const minute = 60 * second;

/** Something bad that happens to a fleet once. */
export type Fault = (fleet: Fleet) => void;

/** The faults that a seed draws from, by name. A fault that ends by itself does so within twenty minutes. */
export const faults = {
  'a daemon is killed before a change': (fleet) => {
    const daemon = anyDaemon(fleet);
    daemon.before(fleet.random.between(0, 12), () => daemon.kill());
  },
  'a machine loses power before a change': (fleet) => {
    const daemon = anyDaemon(fleet);
    daemon.before(fleet.random.between(0, 12), () => fleet.losePower(daemon, fleet.random.between(10, 120)));
  },
  'a machine is suspended before a change': (fleet) => {
    const daemon = anyDaemon(fleet);
    daemon.before(fleet.random.between(0, 12), () => daemon.node.machine.suspend(aWhile(fleet)));
  },
  'a machine reboots': (fleet) => fleet.losePower(anyDaemon(fleet), fleet.random.between(10, 120)),
  'a machine is cut off': (fleet) => {
    const { machine } = anyDaemon(fleet).node;
    machine.note('is cut off');
    machine.isCutOff = true;
    fleet.later(aWhile(fleet), () => {
      machine.note('is no longer cut off');
      machine.isCutOff = false;
    });
  },
  'the API fails': (fleet) => {
    const { api, random } = fleet;
    const fault = random.pick(['hangs', 'refuses'] as const);
    fleet.trace.note('the API', fault);
    api.fault = fault;
    fleet.later(aWhile(fleet), () => {
      fleet.trace.note('the API', 'answers');
      api.fault = undefined;
    });
  },
  'a clock jumps': (fleet) => {
    const { random } = fleet;
    const by = random.pick([10 * second, 5 * minute, 3 * 60 * minute, 26 * 60 * minute]);
    anyDaemon(fleet).node.machine.setClock(random.chance(0.5) ? by : -by);
  },
  'a machine is suspended': (fleet) => anyDaemon(fleet).node.machine.suspend(aWhile(fleet)),
  'K3s crashes': (fleet) => {
    const { k3s } = anyDaemon(fleet).node;
    if (k3s.state === 'active') {
      k3s.crash();
    }
  },
  'K3s ends while it stores a token': ({ api, random }) => {
    const [server] = api.nodes;
    if (server?.passwords) {
      const ends = random.pick(['killed', 'answers 500'] as const);
      server.passwords.trouble = { step: random.pick(rotationSteps), ends };
    }
  },
  'a person cordons a node': (fleet) => {
    const { node } = anyDaemon(fleet);
    fleet.cordonByPerson(node);
  },
  'a Node is deleted in its turn': (fleet) => {
    fleet.inATurn((node) => {
      fleet.mustEnd = false;
      node.machine.note('its Node is deleted');
      node.isCordonedByPerson = false;
      fleet.api.objects.remove('nodes', undefined, node.name);
    });
  },
  'an older Lease is restored': (fleet) => {
    const before = fleet.lease();
    fleet.later(fleet.random.between(5, 300) * second, () => fleet.restoreLease(before));
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

/** Returns a daemon, often that of a server, so that the holder of the Lease often fails. */
function anyDaemon({ daemons, random }: Fleet): Daemon {
  const servers = daemons.filter(({ node }) => node.role === 'server');
  return random.pick(random.chance(0.4) ? servers : daemons);
}

/** Returns a duration in milliseconds: mostly seconds, at times many minutes. */
function aWhile({ random }: Fleet): number {
  return random.chance(0.6) ? random.between(2, 90) * second : random.between(2, 18) * minute;
}
