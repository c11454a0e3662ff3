import { expect, test } from 'vitest';
import { notifier, notifyFaults } from '../../../../../src/agent/host/systemd/notify.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const socket = { NOTIFY_SOCKET: '/run/systemd/notify' };

function tellingSystemd(env: NodeJS.ProcessEnv) {
  const host = memoryHost().on({ file: 'systemd-notify' });
  const pings: { ping: () => void; milliseconds: number }[] = [];
  const systemd = notifier(host, env, (ping, milliseconds) => void pings.push({ ping, milliseconds }));
  return { host, systemd, pings };
}

test('the notifier runs systemd-notify with the socket in NOTIFY_SOCKET', async () => {
  const { host, systemd } = tellingSystemd(socket);
  await systemd.ready();
  await systemd.status('all is in sync');
  await systemd.stopping();
  expect(host.looks).toEqual([
    'NOTIFY_SOCKET=/run/systemd/notify systemd-notify --ready',
    "NOTIFY_SOCKET=/run/systemd/notify systemd-notify '--status=all is in sync'",
    'NOTIFY_SOCKET=/run/systemd/notify systemd-notify STOPPING=1',
  ]);
});

test('the notifier sends nothing without NOTIFY_SOCKET', async () => {
  const { host, systemd, pings } = tellingSystemd({ WATCHDOG_USEC: '60000000' });
  await systemd.ready();
  systemd.startWatchdog(() => true);
  for (const { ping } of pings) {
    ping();
  }
  expect(host.looks).toEqual([]);
});

test('the notifier drops a message that cannot be delivered', async () => {
  const { host, systemd } = tellingSystemd(socket);
  host.once({ file: 'systemd-notify' }, () => Promise.reject(new Error('it hangs')));
  await expect(systemd.ready()).resolves.toBeUndefined();
});

test('the notifier pings the watchdog twice per interval, only while the daemon is alive', () => {
  let isAlive = true;
  const { host, systemd, pings } = tellingSystemd({ ...socket, WATCHDOG_USEC: '60000000' });
  systemd.startWatchdog(() => isAlive);
  const [{ ping, milliseconds } = { ping: () => {}, milliseconds: 0 }] = pings;
  expect(milliseconds).toBe(30_000);
  ping();
  isAlive = false;
  ping();
  expect(host.looks).toEqual(['NOTIFY_SOCKET=/run/systemd/notify systemd-notify WATCHDOG=1']);
  isAlive = true;
  ping();
  expect(host.looks).toHaveLength(2);
});

test('the notifier limits the ping interval to the longest delay of a Node timer', () => {
  const { systemd, pings } = tellingSystemd({ ...socket, WATCHDOG_USEC: '18446744073709551615' });
  systemd.startWatchdog(() => true);
  expect(pings.map(({ milliseconds }) => milliseconds)).toEqual([2_147_483_647]);
});

test.each([
  [{}, []],
  [{ NOTIFY_SOCKET: '', WATCHDOG_USEC: '' }, []],
  [{ NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '60000000' }, []],
  [{ NOTIFY_SOCKET: '@notify', WATCHDOG_USEC: '0' }, []],
  [{ NOTIFY_SOCKET: 'vsock:2:1' }, []],
  [{ NOTIFY_SOCKET: 'run/hunter2' }, ['NOTIFY_SOCKET is not the path of a socket']],
  [{ WATCHDOG_USEC: 'hunter2' }, ['WATCHDOG_USEC is not a number of microseconds']],
  [{ WATCHDOG_USEC: '-1' }, ['WATCHDOG_USEC is not a number of microseconds']],
])('notifyFaults reports exactly the faulty variables of %j, and quotes no value', (env, beginnings) => {
  const faults = notifyFaults(env);
  expect(faults).toEqual(beginnings.map((beginning) => expect.stringContaining(beginning)));
  expect(faults.join()).not.toContain('hunter2');
});

test.each([undefined, '', '0'])('the notifier sends no pings if WATCHDOG_USEC is %j', (WATCHDOG_USEC) => {
  const { systemd, pings } = tellingSystemd({ ...socket, WATCHDOG_USEC });
  systemd.startWatchdog(() => true);
  expect(pings).toEqual([]);
});

test('the notifier sends a status line again only if the line has changed, or was not delivered', async () => {
  const { host, systemd } = tellingSystemd(socket);
  host.once({ file: 'systemd-notify' }, { exitCode: 1 });
  for (const line of ['Ready', 'Ready', 'Ready', 'not Ready', 'Ready']) {
    await systemd.status(line);
  }
  const sent = host.looks.map((line) => /--status=([^']*)/.exec(line)?.[1]);
  expect(sent).toEqual(['Ready', 'Ready', 'not Ready', 'Ready']);
});
