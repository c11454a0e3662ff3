import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireLock } from '../../../src/agent/host/files/lock.ts';
import type { StoredLogin } from '../../../src/agent/parts/registry/answer/logins.ts';
import type { Azure } from '../../lab/azure/index.ts';
import {
  askedFor,
  bundleLauncher,
  bundleWithDeadline,
  loginServer,
  node,
  nodeWithSettings,
  otherServer,
  refusal,
  requestFor,
  run,
  startRegistries,
} from './world.ts';

const hour = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'slipway-provider-'));
let azure: Azure;
let script: string;
beforeAll(async () => {
  azure = await startRegistries();
  script = await bundleLauncher(folder);
}, 60_000);
beforeEach(() => {
  azure.requests.length = 0;
  azure.node('vm').faults.heal();
  azure.registry().faults.heal();
  azure.setRole('vm', 'AcrPull', loginServer);
});
afterAll(async () => {
  await azure.stop();
  rmSync(folder, { recursive: true });
});

/** Returns the answer that the credential provider should give, with the newest password of this registry. */
function answer(server = loginServer) {
  return {
    kind: 'CredentialProviderResponse',
    apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
    cacheKeyType: 'Registry',
    cacheDuration: '600s',
    auth: {
      [server]: {
        username: '00000000-0000-0000-0000-000000000000',
        password: azure.registry(server).issued.at(-1),
      },
    },
  };
}

describe('a login', () => {
  test('is fetched, returned and stored if the login store has none for the registry', async () => {
    const vm = await nodeWithSettings(azure);
    const ended = await vm.provide(script);
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toEqual(answer());
    expect(askedFor(azure)).toEqual({ tokens: 1, passwords: 1 });
    const { password } = answer().auth[loginServer] ?? {};
    expect(vm.stored[loginServer]?.password).toBe(password);
    expect(statSync(vm.paths.logins).mode & 0o777).toBe(0o600);
    const left = ['run', 'var/lib'].flatMap((folder) => readdirSync(`${vm.root}/${folder}/slipway`));
    expect(left.filter((name) => !name.endsWith('.held'))).toEqual([
      'credential-provider.yaml',
      'logins.json',
    ]);
  });

  test('is returned from the login store without a request after the first fetch', async () => {
    const vm = await nodeWithSettings(azure);
    const first = await vm.provide(script);
    rmSync(vm.paths.providerSettings);
    azure.requests.length = 0;
    expect(await vm.provide(script)).toEqual(first);
    expect(azure.requests).toEqual([]);
  });

  test('is fetched once for ten simultaneous processes', async () => {
    const vm = await nodeWithSettings(azure);
    // Uses a longer deadline, since ten starts take long on a busy machine.
    const patient = await bundleWithDeadline(folder, 120_000);
    const all = await Promise.all(Array.from({ length: 10 }, () => vm.provide(patient)));
    expect(all.map(({ stderr }) => stderr)).toEqual(Array(10).fill(''));
    for (const { stdout } of all) {
      expect(JSON.parse(stdout)).toEqual(answer());
    }
    expect(askedFor(azure)).toEqual({ tokens: 1, passwords: 1 });
  });

  test('is fetched despite the lock of a dead process and the lock of the daemon', async () => {
    const vm = await nodeWithSettings(azure);
    const release = await acquireLock(vm.paths.lock);
    writeFileSync(`${vm.paths.providerLock}.${loginServer}`, '4194305 1\n');
    expect(await vm.provide(script)).toMatchObject({ exitCode: 0, stderr: '' });
    await release();
  });

  const names = { username: 'someone', password: 'canary of the store' };
  const received = (receivedAt: number): StoredLogin => ({
    ...names,
    receivedAt,
    until: receivedAt + 3 * hour,
  });
  test.each<[string, StoredLogin]>([
    ['an expired login', received(Date.now() - 3 * hour)],
    ['a login received before the clock was set back by an hour', received(Date.now() + hour)],
    ['a damaged login', { ...received(Date.now()), password: '' }],
    ['a login that its registry refused', { ...received(Date.now() - 60_000), refused: true }],
  ])('is replaced, while logins of other registries stay: %s', async (_, old) => {
    const vm = await nodeWithSettings(azure);
    const others = { [otherServer]: received(Date.now()) };
    vm.store({ [loginServer]: old, ...others });
    const ended = await vm.provide(script);
    expect(JSON.parse(ended.stdout)).toEqual(answer());
    expect(vm.stored).toMatchObject(others);
    expect(vm.stored[loginServer]?.password).toBe(azure.registry(loginServer).issued.at(-1));
  });

  test.each([
    ['that others may read', 0o644],
    ['whose mode is not exactly the required 0600', 0o1600],
  ])('is replaced in a store %s', async (_, mode) => {
    const vm = await nodeWithSettings(azure);
    vm.store({ [loginServer]: received(Date.now()) });
    chmodSync(vm.paths.logins, mode);
    const ended = await vm.provide(script);
    expect(JSON.parse(ended.stdout)).toEqual(answer());
    expect(statSync(vm.paths.logins).mode & 0o7777).toBe(0o600);
  });

  test('is returned for a registry name in mixed case', async () => {
    const vm = await nodeWithSettings(azure);
    const ended = await vm.provide(script, requestFor('Team.AzureCR.io/base:1', { later: { field: 1 } }));
    expect(JSON.parse(ended.stdout)).toEqual(answer());
  });

  test('is not returned in its last five minutes, even if no new login can be fetched', async () => {
    azure.setRole('vm', 'AcrPull', loginServer, false);
    const vm = await nodeWithSettings(azure);
    vm.store({ [loginServer]: received(Date.now() - 175 * 60_000) });
    expect(refusal(await vm.provide(script))).toMatch(
      /^slipway-credential-provider: RegistryUnauthorized: .*AcrPull/,
    );
  });
});

describe('the credential provider', () => {
  test.each([
    ['an empty request', '', /empty/],
    [
      'a request that is not JSON',
      'image\n\u001b[2Jslipway: all is fine\n',
      /: the request on stdin is not JSON/,
    ],
    [
      'a request of another version',
      requestFor('a.io/b', { apiVersion: 'v2\nx' }),
      /"v2 x", but .*\/v1 is the only/,
    ],
    ['a request without an image', requestFor(''), /names no image/],
    ['a request that is too long', requestFor('a'.repeat(1024 * 1024)), /longer than 1 MiB/],
    [
      'a registry that is not in the settings',
      requestFor('quay.io/a/b'),
      /quay\.io is not one of the login servers/,
    ],
    ['an image of Docker Hub', requestFor('alpine'), /docker\.io is not one/],
    [
      'an invalid name of a registry',
      requestFor('a\u001b[2J.\u0000b/c'),
      /: the registry of this image is not one/,
    ],
  ])('refuses in one line, with nothing on stdout: %s', async (_, request, message) => {
    const line = refusal(await (await nodeWithSettings(azure)).provide(script, request));
    expect(line).toMatch(message);
    expect(line).toMatch(/^slipway-credential-provider: [\x20-\x7e]+$/);
  });

  test.each([[['--rot', '/x']], [['--root']], [['--root', '']], [['--root', '/x', 'more']]])(
    'refuses an invalid command line: %j',
    async (args) => {
      const ended = await run([node, script, 'credential-provider', ...args], requestFor('a.io/b'));
      expect(refusal(ended)).toMatch(/takes --root DIR and nothing else/);
    },
  );

  test('refuses a request on a node whose daemon has never run', async () => {
    const vm = await nodeWithSettings(azure);
    rmSync(vm.paths.providerSettings);
    expect(refusal(await vm.provide(script))).toMatch(
      /credential-provider\.yaml does not exist.*systemctl start slipway/,
    );
  });

  test.each([
    ['not YAML', 'canary: [', /credential-provider\.yaml: line 1/],
    ['not a map', 'canary', /credential-provider\.yaml/],
    ['wrong in several places', 'cloud: 1\nregistries: 2', /cloud: .*registries: /],
  ])('refuses settings that are %s', async (_, content, message) => {
    const vm = await nodeWithSettings(azure);
    vm.write(vm.paths.providerSettings, content);
    expect(refusal(await vm.provide(script))).toMatch(message);
  });

  test.each([
    [
      'a failure of the metadata service',
      () => azure.node('vm').faults.fail({ status: 500 }),
      /IdentityUnavailable: .*500/,
    ],
    [
      'a failure of the registry',
      () => azure.registry().faults.fail({ status: 502 }),
      /RegistryUnavailable: .*502/,
    ],
    [
      'an invalid answer from the registry',
      () => azure.registry().faults.fail('garbage'),
      /UnexpectedAnswer: /,
    ],
  ])('reports %s in one line', async (_, arrange, message) => {
    arrange();
    expect(refusal(await (await nodeWithSettings(azure)).provide(script))).toMatch(message);
  });
});

test('the credential provider reports a closed stdout in one line, without a stack', async () => {
  const vm = await nodeWithSettings(azure);
  const child = spawn(node, [script, 'credential-provider', '--root', vm.root], { env: {} });
  child.stdout.destroy();
  child.stdin.end(requestFor(`${loginServer}/base:1`));
  expect(await text(child.stderr)).toMatch(/^slipway-credential-provider: EPIPE[^\n]*\n$/);
});
