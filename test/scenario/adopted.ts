import { nodePaths } from '../../src/agent/paths.ts';
import { type Vm, vm } from './a-vm.ts';
import { ca, register, serverUrl } from './world.ts';

const [timer, refresh] = ['refresh-acr-credentials.timer', 'refresh-acr-credentials.service'];
const unit = 'k3s-agent.service';
const paths = nodePaths('/');

/**
 * Returns the main parts of the unit that K3s's installer writes for an agent with these flags (k3s-io/k3s install.sh,
 * create_systemd_service_file).
 */
export function installersUnit(...flags: readonly string[]): string {
  const words = flags.map((flag) => `\t'${flag}' \\\n`).join('');
  return `[Unit]\nDescription=Lightweight Kubernetes\n\n[Service]\nType=notify\nEnvironmentFile=-/etc/systemd/system/${unit}.env\nExecStart=/usr/local/bin/k3s \\\n    agent \\\n${words}\n`;
}

/**
 * Creates an agent that the older scripts installed: its K3s runs in the installer's unit, and a timer renews
 * registries.yaml.
 */
export function adopted({ flags = [] as readonly string[], settings = '' } = {}): Vm {
  const machine = vm('agent', `${settings}imds: { pods: block }\n`);
  const { files } = machine.host;
  machine.units.found(unit, installersUnit('--server', serverUrl, ...flags));
  machine.units.found(timer, '[Timer]\nOnUnitActiveSec=2h\n');
  files.write(
    `/etc/systemd/system/${refresh}`,
    '[Service]\nExecStart=/usr/local/bin/refresh-acr-credentials.sh\n',
  );
  files.write(paths.k3s.binary, 'k3s v1.36.3+k3s1', 0o755);
  files.write(paths.k3s.agentServerCa, ca);
  files.write(paths.k3s.registries, 'configs: {}\n', 0o600);
  register(machine, 'agent-1');
  return machine;
}

/** True if no change has stopped the timer of the older scripts. */
export function isTimerOn({ host }: Vm): boolean {
  return !host.lines().some((line) => line.includes(`disable --now ${timer}`));
}
