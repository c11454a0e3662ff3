import { expect, test } from 'vitest';
import { staticCloud } from '../../src/agent/clouds/static/static.ts';
import { condition, isReady, live, registry, type Vm, vm } from './a-vm.ts';

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

const asked = ({ cloud }: Vm) => cloud.calls.filter((call) => call.startsWith('registryPassword')).length;

/**
 * Makes the VM's cloud return logins with the password from a file, which `use` selects. The registry accepts the
 * password in /root/right and refuses the one in /root/wrong.
 */
function withPasswordFiles(machine: Vm): { use(path: string): void } {
  const { host, cloud, acr } = machine;
  let passwordFile = '';
  const fresh = cloud.registryPassword.bind(cloud);
  cloud.registryPassword = async (server) => {
    await fresh(server);
    const registries = { [server]: { username: 'fake-user', passwordFile } };
    const settings = { tags: {}, secrets: {}, registries };
    const ground = {
      host,
      settings,
      machine: {
        hostname: 'vm-1',
        addresses: () => [],
        credentials: '/run/credentials/slipway.service',
      },
    };
    return staticCloud(ground).registryPassword(server);
  };
  host.files.write('/root/wrong', 'wrong\n', 0o600);
  host.files.write('/root/right', 'right\n', 0o600);
  acr.passwords.add('right');
  return {
    use(path) {
      passwordFile = path;
      configure(
        machine,
        `static: { registries: { ${registry}: { username: fake-user, passwordFile: ${path} } } }\n`,
      );
    },
  };
}

test.each([
  [3, 2],
  [15, 3],
])(
  'a refused password of the static cloud is retried every ten minutes until new settings replace it (after %i minutes)',
  async (minutes, most) => {
    const machine = vmWithProof();
    const files = withPasswordFiles(machine);
    files.use('/root/wrong');
    const slipway = machine.slipway();
    const during = await live(slipway, machine, minutes * minute);
    expect(condition(during, 'Registries')).toBe('False PullCredentialRefused');
    expect(condition(during, 'Pulls')).toBe('False PullCredentialRefused');
    expect(condition(during, 'NodeReady')).toBe('True InSync');
    expect(asked(machine)).toBeLessThanOrEqual(most);
    files.use('/root/right');
    const repaired = await slipway.pass();
    expect(condition(repaired, 'Registries')).toBe('True Changed');
    expect(condition(repaired, 'Pulls')).toBe('True Changed');
    expect(condition(await live(slipway, machine, minute, isReady), 'Pulls')).toBe('True InSync');
  },
);

test('a password of the static cloud that is corrected in its file is used within eleven minutes', async () => {
  const machine = vmWithProof();
  withPasswordFiles(machine).use('/root/wrong');
  const slipway = machine.slipway();
  await live(slipway, machine, 15 * minute);
  machine.host.files.write('/root/wrong', 'right\n', 0o600);
  expect(condition(await live(slipway, machine, 11 * minute), 'Registries')).toBe('True InSync');
  expect(condition(await live(slipway, machine, 11 * minute, isReady), 'Pulls')).toBe('True InSync');
});

test('a failed pull check is repeated at once when only a secret in the settings changes', async () => {
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
