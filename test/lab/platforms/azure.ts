import { randomBytes } from 'node:crypto';
import type { Azure } from '../azure/index.ts';
import { eventTypes } from '../azure/scheduled-events.ts';
import { assignmentOf, type Controls, isOn } from '../controls.ts';
import { loginServer, startLab } from '../lab.ts';
import { lengthened } from '../limits.ts';
import { showRotations } from '../rotations.ts';
import { showUpgrade } from '../show-upgrade.ts';
import type { Platform } from './platform.ts';

/** The lifetime of registry credentials in this lab, in milliseconds; three hours in Azure. */
const passwordLife = lengthened(24_000);
/** For how long nodes of this lab are watched after an upgrade, in milliseconds; a minute by default. */
const watchFor = lengthened(3_000);
/** The release to which the nodes upgrade. */
const nextRelease = 'v1.36.4+k3s1';

/**
 * A server, an agent and an observability node on an emulated Azure. Shows two rotations of their registry credentials,
 * and an upgrade of K3s.
 */
export const azure: Platform = {
  name: 'azure',
  summary: 'An emulated Azure, a release mirror and three VMs',
  joinedBy: [],
  next: 'To break it, follow docs/usage/walkthrough.md.',
  async start(options) {
    const settings = { maintenance: { watchFor: `${watchFor}ms` } };
    const lab = await startLab({ ...options, passwordLife, settings });
    return {
      lab,
      controls: azureControls(lab.azure),
      async show(say) {
        say(
          `Rotations: the registry credentials live ${passwordLife / 1000} s here, and are renewed with a third of that left.`,
        );
        say('K3s is not restarted, because kubelet requests a login from Slipway at each pull.\n');
        await showRotations(lab, 2, say);
        say(
          `Upgrade: the settings of all nodes now want K3s ${nextRelease}, and each node waits for its turn.`,
        );
        await showUpgrade(lab, nextRelease, say);
      },
    };
  },
};

function azureControls(cloud: Azure): Controls {
  return {
    role([node = '', state]) {
      cloud.setRole(node, 'AcrPull', loginServer, isOn(state, 'on', 'off'));
      return `AcrPull of vm-${node} on ${loginServer}: ${state}`;
    },
    tag([node = '', assignment]) {
      const { name, value } = assignmentOf(assignment);
      cloud.node(node).vm.tags[name] = value;
      return `vm-${node} has the tag ${name}=${value}`;
    },
    secret([name]) {
      if (!name) {
        throw new Error('Which secret? For example k3s-token.');
      }
      cloud.vault().set(name, randomBytes(24).toString('hex'));
      return `the secret ${name} has another value`;
    },
    event([node = '', type = '']) {
      const { name } = cloud.node(node).vm;
      if (type === 'none') {
        for (const { EventId, Resources } of cloud.events.events) {
          if (Resources.includes(name)) {
            cloud.events.end(EventId);
          }
        }
        return `Azure has announced nothing for ${name} any more`;
      }
      cloud.events.announce({ type: eventTypeOf(type), vms: [name] });
      return `Azure has announced for ${name}: ${type}`;
    },
    registry([state]) {
      cloud.registry().closed = isOn(state, 'closed', 'open');
      return `${loginServer} is ${state}`;
    },
  };
}

function eventTypeOf(text: string): (typeof eventTypes)[number] {
  const found = eventTypes.find((each) => each === text);
  if (found === undefined) {
    throw new Error(`An event is ${eventTypes.join(', ')}.`);
  }
  return found;
}
