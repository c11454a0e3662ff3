import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { basicAuth } from '../../src/agent/parts/k3s/membership/token.ts';
import { condition, isReady, live, type Vm, vm } from './a-vm.ts';
import { etcd, withPeer } from './founding-kinds.ts';
import { ca, joinToken } from './world.ts';

const minute = 60_000;
const tokenFile = '/var/lib/slipway/join-token';
const serverToken = '/var/lib/rancher/k3s/server/token';
const passwd = '/var/lib/rancher/k3s/server/cred/passwd';
const next = 'second-token-canary-55d1';
const consent = `consent: { tokenChange: ["${sha256(next).slice(0, 12)}"] }\n`;

/** Boots one of several servers, which has consent to the next token. */
async function oneOfSeveral(): Promise<Vm> {
  const machine = vm('server', `${etcd}${consent}`);
  withPeer(machine);
  await live(machine.slipway(), machine, 2 * minute, isReady);
  machine.host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', ca);
  return machine;
}

/** Makes K3s store a new token, as `k3s token rotate` does. */
async function rotateByHand({ host }: Vm): Promise<void> {
  const { status } = await host.send({
    method: 'PUT',
    url: 'https://127.0.0.1:6443/v1-k3s/token',
    headers: { authorization: basicAuth('server', joinToken) },
    body: JSON.stringify({ newToken: next }),
  });
  expect(status).toBe(200);
}

/** Rotates the token on another server: the datastore has the new token, and the files of this server the old one. */
async function rotateElsewhere(machine: Vm): Promise<void> {
  const { files } = machine.host;
  const kept = [serverToken, passwd].map((path) => [path, files.text(path) ?? ''] as const);
  await rotateByHand(machine);
  for (const [path, text] of kept) {
    files.write(path, text, 0o600);
  }
}

/** Restarts the VM, and checks that K3s has started with the next token, and that Slipway agrees with the vault. */
async function expectNext(machine: Vm): Promise<void> {
  await machine.reboot();
  const report = await live(machine.slipway(), machine, 130 * minute);
  expect([condition(report, 'NodeReady'), condition(report, 'JoinToken')]).toEqual([
    'True InSync',
    'True InSync',
  ]);
  expect([machine.passwords.accepts(next), machine.passwords.belongsTo(next)]).toEqual([true, true]);
}

describe('one of several servers', () => {
  test('never rotates the token to a new version of the secret, even with consent, and keeps running', async () => {
    const machine = await oneOfSeveral();
    machine.cloud.secrets.set('k3s-token', next);
    const report = await live(machine.slipway(), machine, 5 * 60 * minute);
    expect([condition(report, 'JoinToken'), condition(report, 'Ready')]).toEqual([
      'False TokenChanged',
      'True TokenChanged',
    ]);
    expect([machine.passwords.rotations, machine.units.starts]).toEqual([0, 1]);
    expect(machine.host.lines().filter((line) => /^send PUT .*v1-k3s\/token/.test(line))).toEqual([]);
    expect(machine.host.files.text(tokenFile)).toBe(`${joinToken}\n`);
  });

  test('takes over the token of a rotation by hand on this server, without a restart', async () => {
    const machine = await oneOfSeveral();
    await rotateByHand(machine);
    machine.cloud.secrets.set('k3s-token', next);
    await live(machine.slipway(), machine, 6 * minute);
    expect([machine.host.files.text(tokenFile), machine.units.starts]).toEqual([`${next}\n`, 1]);
    await expectNext(machine);
  });

  test('takes over the token of a rotation by hand on another server, once a person has put it into the file of K3s', async () => {
    const machine = await oneOfSeveral();
    await rotateElsewhere(machine);
    machine.cloud.secrets.set('k3s-token', next);
    await live(machine.slipway(), machine, 130 * minute);
    expect(machine.host.files.text(tokenFile)).toBe(`${joinToken}\n`);
    machine.host.files.write(serverToken, `K10${sha256(ca)}::server:${next}\n`, 0o600);
    await live(machine.slipway(), machine, 6 * minute);
    expect([machine.host.files.text(tokenFile), machine.units.starts]).toEqual([`${next}\n`, 1]);
    await expectNext(machine);
    expect(machine.passwords.rotations).toBe(1);
  });
});
