import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { acquireLock } from '../../../src/agent/host/files/lock.ts';
import { freshLogins } from '../../../src/commands/credential-provider.ts';
import type { Azure } from '../../lab/azure/index.ts';
import { askedFor, loginServer, nodeWithSettings, otherServer, startRegistries } from './world.ts';

let azure: Azure;
beforeAll(async () => {
  azure = await startRegistries();
});
beforeEach(() => {
  azure.requests.length = 0;
  azure.registry().faults.heal();
});
afterAll(() => azure.stop());

/** Requests a login ten times at once; resolves to the password from each request, or to the reason for its failure. */
async function ten(root: string, server = loginServer): Promise<readonly string[]> {
  const calls = Array.from({ length: 10 }, () => freshLogins(server, root));
  const ended = await Promise.allSettled(calls);
  return ended.map((each) =>
    each.status === 'fulfilled' ? (each.value[server]?.password ?? 'none') : each.reason.reason,
  );
}

test('concurrent calls for a login share one exchange', async () => {
  const { root } = await nodeWithSettings(azure);
  const passwords = await ten(root);
  expect(new Set(passwords)).toEqual(new Set(azure.registry(loginServer).issued.slice(-1)));
  expect(passwords).toHaveLength(10);
  expect(askedFor(azure).passwords).toBe(1);
});

test('concurrent calls for a login share one failure, and a later call tries again', async () => {
  const vm = await nodeWithSettings(azure);
  azure.registry().faults.fail({ status: 502 });
  expect(await ten(vm.root)).toEqual(Array(10).fill('RegistryUnavailable'));
  expect(askedFor(azure).passwords).toBe(1);
  await expect(freshLogins(loginServer, vm.root)).rejects.toMatchObject({ reason: 'RegistryUnavailable' });
  expect(askedFor(azure).passwords).toBe(2);
  azure.registry().faults.heal();
  expect(await freshLogins(loginServer, vm.root)).toHaveProperty([loginServer]);
});

test('a failure at one registry does not affect a call for another registry', async () => {
  const { root } = await nodeWithSettings(azure);
  azure.registry().faults.fail({ status: 502 }, { times: 1 });
  const [first, second] = await Promise.allSettled([
    freshLogins(loginServer, root),
    freshLogins(otherServer, root),
  ]);
  expect([first.status, second.status].toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(askedFor(azure).passwords).toBe(2);
});

test('the file that records a failed call has the mode 0600 and contains no secret', async () => {
  const { root, paths } = await nodeWithSettings(azure);
  azure.setRole('vm', 'AcrPull', loginServer, false);
  await expect(freshLogins(loginServer, root)).rejects.toMatchObject({ reason: 'RegistryUnauthorized' });
  azure.setRole('vm', 'AcrPull', loginServer);
  const note = `${paths.providerLock}.${loginServer}.failure`;
  expect(statSync(note).mode & 0o777).toBe(0o600);
  expect(readFileSync(note, 'utf8')).toMatch(/^\{\n {2}"format": 1,\n/);
  expect(readFileSync(note, 'utf8')).not.toMatch(/eyJ/);
});

test('provider settings that a newer release wrote are used, and their unknown fields ignored', async () => {
  const registries = { servers: [loginServer], mode: 'swift' };
  const { root } = await nodeWithSettings(azure, { format: 9, registries, ports: { open: [1] } });
  expect(await freshLogins(loginServer, root)).toHaveProperty([loginServer]);
});

test('the store keeps the logins of two registries', async () => {
  const vm = await nodeWithSettings(azure);
  await Promise.all([freshLogins(loginServer, vm.root), freshLogins(otherServer, vm.root)]);
  expect(Object.keys(vm.stored).toSorted()).toEqual([otherServer, loginServer]);
});

test('a held lock for one registry does not delay a login to another registry', async () => {
  const { root, paths } = await nodeWithSettings(azure);
  const release = await acquireLock(`${paths.providerLock}.${loginServer}`);
  expect(await freshLogins(otherServer, root)).toHaveProperty([otherServer]);
  await release();
});

test('a login that another process adds to the store during a call stays in the store', async () => {
  const vm = await nodeWithSettings(azure);
  const release = await acquireLock(vm.paths.providerLock);
  const meanwhile = async () => {
    await vi.waitFor(() => expect(askedFor(azure).passwords).toBe(2), { timeout: 60_000 });
    await setTimeout(200);
    const third = { username: 'user', password: 'canary', receivedAt: Date.now() };
    vm.store({ 'third.azurecr.io': third });
    await release();
  };
  await Promise.all([freshLogins(loginServer, vm.root), freshLogins(otherServer, vm.root), meanwhile()]);
  expect(Object.keys(vm.stored)).toHaveLength(3);
});

test('a login is returned even if the lock directory cannot be created', async () => {
  const vm = await nodeWithSettings(azure);
  vm.write(dirname(vm.paths.providerLock), 'no folder');
  expect(await freshLogins(loginServer, vm.root)).toHaveProperty([loginServer]);
});

test('a login is returned even if the store cannot be written', async () => {
  const { root, paths } = await nodeWithSettings(azure);
  mkdirSync(paths.logins, { recursive: true });
  const logins = await freshLogins(loginServer, root);
  expect(logins[loginServer]?.password).toBe(azure.registry(loginServer).issued.at(-1));
});

test('a login of the static cloud has no expiry', async () => {
  const vm = await nodeWithSettings(azure);
  const passwordFile = `${vm.root}/password`;
  vm.write(passwordFile, 'canary\n');
  const settings = {
    cloud: 'static',
    static: { registries: { [loginServer]: { username: 'puller', passwordFile } } },
    registries: { servers: [loginServer] },
  };
  vm.write(vm.paths.providerSettings, JSON.stringify(settings));
  const logins = await freshLogins(loginServer, vm.root);
  expect(logins[loginServer]).toEqual({
    username: 'puller',
    password: 'canary',
    receivedAt: expect.any(Number),
  });
});

test("a password in a systemd credential is read from the daemon's credentials directory, without the daemon's environment", async () => {
  const vm = await nodeWithSettings(azure);
  const login = { username: 'puller', passwordFile: 'credential:acr' };
  const settings = {
    cloud: 'static',
    static: { registries: { [loginServer]: login } },
    registries: { servers: [loginServer] },
  };
  vm.write(vm.paths.providerSettings, JSON.stringify(settings));
  await expect(freshLogins(loginServer, vm.root)).rejects.toMatchObject({
    reason: 'SecretNotFound',
    message: expect.stringMatching(/credential acr.*systemd puts it there only while slipway\.service runs/),
  });
  vm.write(`${vm.paths.credentials}/acr`, 'canary\n');
  expect((await freshLogins(loginServer, vm.root))[loginServer]).toMatchObject({ password: 'canary' });
});

test('a refused password of the static cloud is not returned until the password changes', async () => {
  const vm = await nodeWithSettings(azure);
  const passwordFile = `${vm.root}/password`;
  vm.write(passwordFile, 'canary\n');
  const settings = {
    cloud: 'static',
    static: { registries: { [loginServer]: { username: 'puller', passwordFile } } },
    registries: { servers: [loginServer] },
  };
  vm.write(vm.paths.providerSettings, JSON.stringify(settings));
  const refused = {
    username: 'puller',
    password: 'canary',
    receivedAt: Date.now() - 1,
    refused: true,
  } as const;
  vm.store({ [loginServer]: refused });
  await expect(freshLogins(loginServer, vm.root)).rejects.toMatchObject({ reason: 'PullCredentialRefused' });
  expect(vm.stored).toEqual({ [loginServer]: refused });
  vm.write(passwordFile, 'another\n');
  expect(await freshLogins(loginServer, vm.root)).toHaveProperty([loginServer, 'password'], 'another');
});

test('the locks stay below --root, even if a link leads outside', async () => {
  const vm = await nodeWithSettings(azure);
  const elsewhere = `${vm.root}-elsewhere`;
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }));
  mkdirSync(elsewhere);
  mkdirSync(`${vm.root}/run`);
  symlinkSync(elsewhere, `${vm.root}/run/slipway`);
  expect(await freshLogins(loginServer, vm.root)).toHaveProperty([loginServer]);
  expect(readdirSync(elsewhere)).toEqual([]);
});
