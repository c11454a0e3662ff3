import { expect, test } from 'vitest';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { type PlannedStep, planText, planVerdict, withoutUpkeep } from '../../src/agent/report/plan-text.ts';
import { namesOf, roles } from '../../src/roles/index.ts';
import { engineSettings, isReady, live, type Vm, vm } from './a-vm.ts';

const minute = 60_000;

/** Returns the text that `slipway plan` prints on this VM, and the verdict that sets the exit code. */
async function plan(machine: Vm): Promise<{ readonly text: string; readonly verdict: string }> {
  let recording: ReturnType<typeof recordingHost> | undefined;
  const slipway = machine.slipway((host) => {
    recording = recordingHost(host);
    return recording;
  });
  const { outcomes } = await slipway.pass();
  const steps: PlannedStep[] = outcomes.map((outcome) => ({ outcome, actions: [] }));
  return {
    text: planText([...steps, ...actions(recording?.journal ?? [], outcomes)]),
    verdict: planVerdict(steps),
  };
}

function actions(
  journal: PlannedStep['actions'],
  outcomes: readonly PlannedStep['outcome'][],
): readonly PlannedStep[] {
  const [outcome] = outcomes.filter(({ state }) => state === 'Changed');
  return outcome ? [{ outcome, actions: journal }] : [];
}

test.each(namesOf(roles))('the plan of a Ready node with the role %s is empty', async (role) => {
  const machine = vm(role);
  await live(machine.slipway(), machine, minute, isReady);
  const before = machine.host.files.snapshot();
  const looks = machine.host.looks.length;
  expect((await plan(machine)).verdict).toBe('nothing');
  expect(machine.host.files.snapshot()).toEqual(before);
  expect(machine.host.looks.slice(looks).filter((look) => look.includes('readyz'))).toEqual([]);
});

test.each(Object.entries(engineSettings))(
  'the plan of a Ready server with the GitOps engine %s is empty',
  async (_, settings) => {
    const machine = vm('server', settings);
    await live(machine.slipway(), machine, minute, isReady);
    expect((await plan(machine)).verdict).toBe('nothing');
  },
);

test('the plan after an edit by hand shows only the edited file', async () => {
  const machine = vm('agent');
  await live(machine.slipway(), machine, minute, isReady);
  machine.host.files.write('/etc/sysctl.d/90-slipway-k3s.conf', '# gone\n');
  const { text, verdict } = await plan(machine);
  expect(verdict).toBe('changes');
  expect(text).toContain('edit: /etc/sysctl.d/90-slipway-k3s.conf (0644)');
  expect(text).not.toContain('then:');
});

test('the plan of a new agent ends with its start, and lists no later maintenance', async () => {
  const slipway = vm('agent').slipway((host) => recordingHost(host));
  const { outcomes } = await slipway.pass();
  const steps = withoutUpkeep(outcomes.map((outcome) => ({ outcome, actions: [] })));
  const then = planText(steps)
    .split('\n')
    .filter((line) => line.startsWith('then: '));
  expect(then.join('\n')).not.toMatch(/restart k3s|upgrade|turn|verify|uncordon|hold|renews/);
  expect(then).toContain('then: systemctl start k3s-agent.service');
});

test('the plan of a new server with a channel names the release of the channel and the download that follows', async () => {
  const machine = vm('server', 'k3s: { channel: stable }\n');
  machine.channels = { stable: 'v1.36.9+k3s1' };
  const before = machine.host.files.snapshot();
  const { text, verdict } = await plan(machine);
  expect(verdict).toBe('changes');
  expect(text).toContain('"release": "v1.36.9+k3s1"');
  expect(text).toContain('then: download K3s stable to /usr/local/bin/k3s');
  expect(machine.host.files.snapshot()).toEqual(before);
});
