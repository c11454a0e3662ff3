import { expect, test } from 'vitest';
import { condition, live, registry, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const image = `${registry}/base/alpine:3.22`;
const proof = `registries: { proof: ["${image}"] }\n`;

function configure({ host }: Vm, text: string): void {
  host.files.write('/etc/slipway/config.d/repaired.yaml', text, 0o600);
}

function vmWithProof(settings = ''): Vm {
  const machine = vm('agent', proof);
  machine.cloud.images.set(image, machine.acr.push('base/alpine', '3.22', 3_000_000));
  configure(machine, settings);
  return machine;
}

test('what failed is tried again at once when nothing but a secret of the settings was repaired', async () => {
  const login = (password: string) =>
    `registries: { configs: { docker.io: { auth: { username: u, password: ${password} } } } }\n`;
  const machine = vmWithProof(login('wrong'));
  machine.acr.denied = true;
  const slipway = machine.slipway();
  expect(condition(await live(slipway, machine, 15 * minute), 'Pulls')).toBe('False PullDenied');
  machine.acr.denied = false;
  expect(condition(await slipway.pass(), 'Pulls')).toBe('False PullDenied');
  configure(machine, login('right'));
  expect(condition(await slipway.pass(), 'Pulls')).toBe('True Changed');
});
