import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { vaultUrl } from '../../../../src/agent/clouds/azure/settings.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { gitHost, gitUrl, registryName, url } from '../../../../src/agent/settings/address-forms.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { withTags } from '../../../../src/agent/settings/tags.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { problemsOf } from './invalid.ts';

const own = '/etc/slipway/config.yaml';

function settings(yaml: string) {
  return load(memoryHost({ files: { [own]: yaml } }), { paths: nodePaths('/') });
}

const places = [
  ['azure.imdsEndpoint', (at: string) => `azure: { imdsEndpoint: "https://${at}" }`],
  ['azure.keyVault.url', (at: string) => `azure: { keyVault: { url: "https://${at}" } }`],
  ['azure.registryAudience', (at: string) => `azure: { registryAudience: "https://${at}" }`],
  ['k3s.releaseUrl', (at: string) => `k3s: { releaseUrl: "https://${at}/k3s" }`],
  ['k3s.server', (at: string) => `k3s: { server: "https://${at}" }`],
  ['k3s.server', (at: string) => `k3s: { server: "${at}" }`],
  ['network.proxy', (at: string) => `network: { proxy: "http://${at}" }`],
  ['gitops.flux.url', (at: string) => `gitops: { flux: { url: "https://${at}/r" } }`],
  ['gitops.flux.hostname', (at: string) => `gitops: { flux: { hostname: "${at}" } }`],
  ['gitops.argocd.url', (at: string) => `gitops: { argocd: { url: "https://${at}/r" } }`],
  ['gitops.argocd.url', (at: string) => `gitops: { argocd: { url: "ssh://git@${at}/r" } }`],
  ['gitops.flux.releaseUrl', (at: string) => `gitops: { flux: { releaseUrl: "https://${at}/flux" } }`],
  [
    'registries.mirrors',
    (at: string) => `registries: { mirrors: { docker.io: { endpoint: ["https://${at}"] } } }`,
  ],
  ['registries.mirrors', (at: string) => `registries: { mirrors: { "${at}": { endpoint: [] } } }`],
  ['registries.configs', (at: string) => `registries: { configs: { "${at}": {} } }`],
] as const;

test.each(places)('%s reports an invalid port as one problem (row %#)', async (path, yaml) => {
  for (const port of [99_999, 65_536, 0]) {
    const found = await problemsOf(() => settings(yaml(`x.example.com:${port}`)));
    expect(found).toEqual([expect.stringContaining(`${own}: ${path}`)]);
    expect(found[0]).toMatch(/port/);
  }
});

test.each(places)('%s accepts a valid port (row %#)', async (_, yaml) => {
  expect(await problemsOf(() => settings(yaml('x.example.com:8443')))).toEqual([]);
});

test.each(places)('%s refuses an invalid host (row %#)', async (path, yaml) => {
  expect((await problemsOf(() => settings(yaml('10.0.0.256'))))[0]).toContain(`${own}: ${path}`);
});

test('the tag k3s-server refuses an invalid port', async () => {
  const loaded = await settings('{}');
  for (const value of ['10.0.0.4:99999', 'https://10.0.0.4:0']) {
    expect(await problemsOf(() => withTags(loaded, { 'k3s-server': value }))).toHaveLength(1);
  }
});

const forms = { registryName, url, vaultUrl, gitUrl, gitHost };

test.each([
  ['registryName', '*'],
  ['registryName', 'docker.io'],
  ['url', 'http://a.io/b/c'],
  ['url', 'https://a.io:8443'],
  ['vaultUrl', 'https://a.io/b/c'],
  ['gitUrl', 'https://a.io/team/repository.git'],
  ['gitHost', 'git.a.io'],
  ['gitHost', 'git.a.io:8443'],
] as const)('%s accepts %s', (form, value) => {
  expect(z.safeParse(forms[form], value).success).toBe(true);
});

test.each([
  ['registryName', 'https://docker.io'],
  ['url', 'git+https://a.io'],
  ['url', 'https://a.io/b c'],
  ['url', 'https://a.io:99999?b'],
  ['vaultUrl', 'http://a.io'],
  ['vaultUrl', 'git+https://a.io'],
  ['vaultUrl', 'https://a.io/me@b'],
  ['gitUrl', 'git+https://a.io/b'],
  ['gitUrl', 'https://a.io/b?c'],
  ['gitHost', '-a.io'],
  ['gitHost', 'a.io:99999/b'],
] as const)('%s refuses %s with one problem', (form, value) => {
  expect(z.safeParse(forms[form], value).error?.issues).toHaveLength(1);
});

test('a URL with a control character and an invalid port causes only the problem of the control character', async () => {
  const found = await problemsOf(() => settings('k3s: { releaseUrl: "https://a.io:99999/\\x01" }'));
  expect(found).toEqual([expect.stringContaining('k3s.releaseUrl')]);
  expect(found[0]).not.toMatch(/port/);
});
