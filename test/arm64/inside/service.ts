import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { check } from './console.ts';
import { ask, eventually, executable, run } from './run.ts';

const dropIn = '/run/systemd/system/slipway.service.d';

/** Tries `slipway install`, the service in its sandbox, and `slipway uninstall`. */
export async function tryService(): Promise<void> {
  writeSettings();
  await check('install', () => void ask(executable, 'install'));
  await check('the service becomes ready in its sandbox', serviceRuns);
  await check('systemd starts the daemon again after a kill', () => restartsAfter('SIGKILL', 60));
  await check('the watchdog restarts a daemon that hangs', async () => {
    mkdirSync(dropIn, { recursive: true });
    writeFileSync(`${dropIn}/watchdog.conf`, '[Service]\nWatchdogSec=20\n');
    ask('systemctl', 'daemon-reload');
    ask('systemctl', 'restart', 'slipway');
    await restartsAfter('SIGSTOP', 120);
    rmSync(dropIn, { recursive: true });
  });
  await check('uninstall removes everything', () => {
    ask(executable, 'uninstall', '--purge');
    assert.deepEqual(
      ['/usr/local/bin/slipway', '/etc/systemd/system/slipway.service', '/var/lib/slipway'].filter(
        existsSync,
      ),
      [],
    );
    assert.equal(unitsLeft(), '');
  });
}

/**
 * Writes the settings of an agent without a cloud. The agent waits for an address, because the machine has no network.
 */
export function writeSettings(): void {
  mkdirSync('/etc/slipway', { recursive: true });
  writeFileSync('/etc/slipway/config.yaml', 'cloud: static\nrole: agent\nk3s: { server: 10.0.1.4 }\n');
}

/** Starts the service, waits until it has published a status, and checks that the agent still waits for its address. */
export async function serviceRuns(): Promise<void> {
  ask('systemctl', 'start', 'slipway');
  await eventually('the status of the daemon', 120, () => existsSync('/run/slipway/status.json'));
  assert.match(run('slipway', ['status']).stdout, /agent +not Ready: NodeAddressUnknown/);
}

/** Returns the units of Slipway that systemd still knows, one per line. */
export function unitsLeft(): string {
  return ask(
    'systemctl',
    'list-units',
    '--all',
    '--plain',
    '--no-legend',
    'slipway.service',
    'slipway-directories.service',
  );
}

async function restartsAfter(signal: 'SIGKILL' | 'SIGSTOP', seconds: number): Promise<void> {
  const before = daemon();
  ask('systemctl', 'kill', '--kill-whom=main', `--signal=${signal}`, 'slipway');
  await eventually('another daemon', seconds, () => daemon() !== before && daemon() !== '0');
  await eventually(
    'the daemon to be ready',
    60,
    () => ask('systemctl', 'show', '-P', 'ActiveState', 'slipway') === 'active',
  );
}

function daemon(): string {
  return ask('systemctl', 'show', '-P', 'MainPID', 'slipway');
}
