import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BootedHost, eventually, standInNode } from '../booted-host.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { startsOf } from '../judge.ts';

const metrics = { listen: '127.0.0.1:9753', textfile: '/run/slipway/metrics.prom' };

let cluster: Cluster;
let server: BootedHost;
let k3sStart: string;

beforeAll(async () => {
  cluster = await startCluster({ hosts: ['server'], settings: () => ({ metrics }) });
  server = cluster.host('server');
  expect(server.read('/etc/systemd/system/slipway.service')).toMatch(/^WatchdogSec=600$/m);
  // Ten minutes are too long for a test, so the drop-in shortens the watchdog's timeout.
  server.write(
    '/etc/systemd/system/slipway.service.d/test.conf',
    '[Service]\nWatchdogSec=15\nRestartSec=1\n',
  );
  await cluster.powerOn();
  await cluster.ready();
  k3sStart = await server.k3sStart();
});

afterAll(() => cluster?.stop());

async function restarted(pid: string, since: number): Promise<void> {
  await eventually('another daemon', async () => !['0', pid].includes(await mainPid()));
  await eventually('the node to be Ready', () => server.isReady(since));
  expect(await server.k3sStart(), 'K3s goes on').toBe(k3sStart);
  expect((await server.run('systemctl', 'is-failed', 'slipway')).exitCode).not.toBe(0);
}

/**
 * Sends a signal to the daemon through systemd. With a MainPID of 0, kill(2) would signal this process group instead.
 */
async function send(signal: string): Promise<void> {
  await server.ask('systemctl', 'kill', '--kill-whom=main', `--signal=${signal}`, 'slipway.service');
}

async function mainPid(): Promise<string> {
  return (await server.show('slipway.service', 'MainPID')).MainPID ?? '';
}

test('the sandbox allows the daemon to serve and write metrics', async () => {
  const asking = `fetch('http://${metrics.listen}/metrics').then((answer) => answer.text()).then(console.log)`;
  expect(await server.ask(standInNode, '-e', asking)).toContain('\nslipway_ready 1\n');
  expect(server.read(metrics.textfile)).toContain('\nslipway_ready 1\n');
});

test('the watchdog leaves a healthy daemon alone', async () => {
  const pid = await mainPid();
  await sleep(20_000);
  expect(await mainPid()).toBe(pid);
});

test.each(['SIGKILL', 'SIGSEGV'])('after %s the daemon is restarted, and no file is lost', async (signal) => {
  const [pid, before, since] = [await mainPid(), owned(), Date.now()];
  await send(signal);
  await restarted(pid, since);
  expect(owned()).toEqual(before);
});

test('after a stop and a start the daemon continues, and no file is lost', async () => {
  const [pid, before] = [await mainPid(), owned()];
  await server.ask('systemctl', 'stop', 'slipway');
  expect((await server.run('slipway', 'status')).exitCode, 'status says that no daemon runs').toBe(3);
  const since = Date.now();
  await server.ask('systemctl', 'start', 'slipway');
  await restarted(pid, since);
  expect(owned()).toEqual(before);
});

test('the watchdog kills a daemon whose event loop is blocked, and leaves no core file', async () => {
  const [pid, since] = [await mainPid(), Date.now()];
  await send('SIGSTOP');
  await restarted(pid, since);
  const journal = await server.journal('-u', 'slipway.service');
  expect(journal.some(({ message }) => message.includes('Watchdog timeout'))).toBe(true);
  expect(
    (await server.ask('find', '/', '-xdev', '-name', 'core*', '-size', '+1M', '-path', '*core')).trim(),
  ).toBe('');
});

test('K3s was started only once, despite all restarts of the daemon', async () => {
  expect(await startsOf(server, 'k3s.service')).toBe(1);
});

/** Returns the content of three files that the daemon wrote, by path. */
function owned(): Readonly<Record<string, string | undefined>> {
  const paths = [
    '/etc/rancher/k3s/config.yaml',
    '/etc/rancher/k3s/registries.yaml',
    '/var/lib/slipway/join-token',
  ];
  return Object.fromEntries(paths.map((path) => [path, server.read(path)]));
}
