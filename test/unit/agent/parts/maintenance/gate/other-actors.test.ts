import { describe, expect, test } from 'vitest';
import { otherActors } from '../../../../../../src/agent/parts/maintenance/gate/other-actors.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';

const apt = (name: string) => `/etc/apt/apt.conf.d/${name}`;
const line = 'Unattended-Upgrade::Automatic-Reboot';
const timers = '/etc/systemd/system/timers.target.wants';
const kured = 'weave.works/kured-reboot-in-progress';

async function found(
  files: Readonly<Record<string, string>>,
  annotations = {},
  consented: readonly string[] = [],
) {
  const node = aNode('agent', { settings: { consent: { otherActors: consented } } });
  const actors = await otherActors(memoryHost({ files }), node, { metadata: { annotations } });
  return actors.map(({ name }) => name);
}

describe('otherActors', () => {
  test.each([
    ['nothing on a plain machine', {}, {}, []],
    ['unattended-upgrades that reboots', { [apt('50u')]: `${line} "true";\n` }, {}, ['unattended-upgrades']],
    [
      'unattended-upgrades without quotes',
      { [apt('50u')]: `  ${line} true;\n` },
      {},
      ['unattended-upgrades'],
    ],
    ['nothing in a comment', { [apt('50u')]: `//${line} "true";\n# ${line} "true";\n` }, {}, []],
    [
      'nothing for another setting',
      { [apt('50u')]: `${line}-Time "02:00";\n${line}-WithUsers "true";\n` },
      {},
      [],
    ],
    [
      'nothing if the last file of apt turns reboots off',
      { [apt('50u')]: `${line} "true";\n`, [apt('99z')]: `${line} "false";\n` },
      {},
      [],
    ],
    ['an enabled timer of Ansible', { [`${timers}/k3s-ansible.timer`]: '' }, {}, ['k3s-ansible.timer']],
    ['nothing for another timer', { [`${timers}/apt-daily.timer`]: '' }, {}, []],
    ["kured's mark on the own Node", {}, { [kured]: '2026-01-01' }, ['kured']],
  ] as const)('finds %s', async (_, files, annotations, expected) => {
    expect(await found(files, annotations)).toEqual(expected);
  });

  test('leaves out a program with consent', async () => {
    const files = { [apt('50u')]: `${line} "true";\n` };
    expect(await found(files, { [kured]: 'x' }, ['unattended-upgrades'])).toEqual(['kured']);
  });
});
