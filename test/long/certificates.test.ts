import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { agentLeaves, serverLeaves } from '../lab/standins/k3s-leaves.ts';
import { booted, condition, live, noRestarts, type Vm } from '../scenario/a-vm.ts';

const minute = 60_000;
const day = 1_440 * minute;

/** Returns the days until the first leaf certificate on the disk of a node ends. */
function daysLeft({ host }: Vm): number {
  const ends = [...serverLeaves, ...agentLeaves]
    .map(([path]) => host.files.text(`/var/lib/rancher/k3s/${path}`))
    .filter((pem) => pem !== undefined)
    .map((pem) => new X509Certificate(pem).validToDate.getTime());
  return (Math.min(...ends) - host.now()) / day;
}

test.each(['server', 'agent'])(
  'over 500 days without another restart, the certificates of K3s always have 118 days left: %s',
  async (role) => {
    const { machine, slipway } = await booted(role, noRestarts);
    const end = machine.host.now() + 500 * day;
    let least = Number.POSITIVE_INFINITY;
    while (machine.host.now() < end) {
      await machine.host.sleep(day);
      const report = await live(slipway, machine, minute);
      least = Math.min(least, daysLeft(machine));
      expect(condition(report, 'Certificates')).toBe('True InSync');
    }
    expect(machine.units.starts).toBe(1 + 2);
    expect(least).toBeGreaterThan(118);
  },
);
