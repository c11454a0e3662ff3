import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { renderPlugin } from '../../src/agent/parts/registry/kubelet-plugin.ts';
import {
  askedFor,
  loginServer,
  nodeWithSettings,
  refusal,
  requestFor,
  run,
  startRegistries,
} from '../integration/credential-provider/world.ts';
import type { Azure } from '../lab/azure/index.ts';
import { executable, ignored } from './executable.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-plugin-'));
const plugin = join(folder, 'slipway-credential-provider');
const request = requestFor(`${loginServer}/base:1`);
let azure: Azure;
beforeAll(async () => {
  writeFileSync(plugin, renderPlugin({ slipway: executable() }), { mode: 0o755 });
  azure = await startRegistries();
}, 60_000);
beforeEach(() => {
  azure.requests.length = 0;
});
afterAll(async () => {
  await azure.stop();
  rmSync(folder, { recursive: true });
});

/** Runs the plugin with a request, as kubelet does under K3s: with a PATH, NODE_NAME and the variables in `env`. */
function provide(root: string, env: Readonly<Record<string, string>> = {}) {
  const command = [plugin, 'credential-provider', '--root', root] as const;
  return run(command, request, { PATH: '/usr/bin:/bin', NODE_NAME: 'vm', ...env });
}

/** Variables that would redirect Node, the cloud SDKs or any client that uses an HTTP proxy. */
const evil = {
  NODE_OPTIONS: '--require /evil.cjs',
  NODE_EXTRA_CA_CERTS: '/evil.pem',
  AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:9',
  AZURE_CLIENT_ID: 'evil',
  IDENTITY_ENDPOINT: 'http://127.0.0.1:9',
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
};

test('the plugin fetches a login once despite hostile variables, and then answers from the login store', async () => {
  const { root, paths } = await nodeWithSettings(azure);
  const cold = await provide(root, evil);
  expect(cold).toMatchObject({ exitCode: 0, stderr: '' });
  const password = azure.registry(loginServer).issued.at(-1);
  expect(JSON.parse(cold.stdout).auth[loginServer]).toHaveProperty('password', password);
  rmSync(paths.providerSettings);
  expect(await provide(root)).toEqual(cold);
  expect(askedFor(azure)).toEqual({ tokens: 1, passwords: 1 });
});

test('ten concurrent calls of the plugin fetch one login', async () => {
  const { root } = await nodeWithSettings(azure);
  const all = await Promise.all(Array.from({ length: 10 }, () => provide(root)));
  expect(all.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(Array(10).fill([0, '']));
  expect(new Set(all.map(({ stdout }) => JSON.parse(stdout).auth[loginServer].password)).size).toBe(1);
  expect(askedFor(azure)).toEqual({ tokens: 1, passwords: 1 });
});

test('without the plugin, the executable ignores hostile variables and reports those of Node and the SDKs', async () => {
  const { root } = await nodeWithSettings(azure);
  const ended = await run([executable(), 'credential-provider', '--root', root], request, evil);
  expect(ended.exitCode).toBe(0);
  expect(JSON.parse(ended.stdout).auth).toHaveProperty([loginServer]);
  const powerless = Object.keys(evil).filter((name) => !name.endsWith('_PROXY'));
  expect(ended.stderr).toBe(`${ignored(...powerless.sort())}\n`);
});

test.each([
  ['an empty request', '', /empty/],
  ['a request of another version', requestFor('a.io/b', { apiVersion: 'v2' }), /v1 is the only one/],
  ['a request for a foreign registry', requestFor('quay.io/a'), /quay\.io is not one of the login servers/],
])('the credential provider refuses %s in one line', async (_, given, message) => {
  const { root } = await nodeWithSettings(azure);
  const ended = await run([executable(), 'credential-provider', '--root', root], given, { NODE_NAME: 'vm' });
  expect(refusal(ended)).toMatch(message);
});

test('a plugin whose executable is missing reports the missing executable and exits with 1', async () => {
  const lost = join(folder, 'lost');
  writeFileSync(lost, renderPlugin({ slipway: join(folder, 'gone') }), { mode: 0o755 });
  expect(refusal(await run([lost, 'credential-provider'], request))).toMatch(/is not there/);
});
