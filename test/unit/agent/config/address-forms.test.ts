import { expect, test } from 'vitest';
import { load } from '../../../../src/agent/config/load.ts';
import { withTags } from '../../../../src/agent/config/tags.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
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
  ['gitops.flux.releaseUrl', (at: string) => `gitops: { flux: { releaseUrl: "https://${at}/flux" } }`],
  [
    'registries.mirrors',
    (at: string) => `registries: { mirrors: { docker.io: { endpoint: ["https://${at}"] } } }`,
  ],
  ['registries.mirrors', (at: string) => `registries: { mirrors: { "${at}": { endpoint: [] } } }`],
  ['registries.configs', (at: string) => `registries: { configs: { "${at}": {} } }`],
] as const;

test.each(places)('%s refuses a port that cannot be, with one line: %#', async (path, yaml) => {
  for (const port of [99_999, 65_536, 0]) {
    const found = await problemsOf(() => settings(yaml(`x.example.com:${port}`)));
    expect(found).toEqual([expect.stringContaining(`${own}: ${path}`)]);
    expect(found[0]).toMatch(/port/);
  }
});

test.each(places)('%s takes a port that can be: %#', async (_, yaml) => {
  expect(await problemsOf(() => settings(yaml('x.example.com:8443')))).toEqual([]);
});

test.each(places)('%s refuses a host that cannot be: %#', async (path, yaml) => {
  expect((await problemsOf(() => settings(yaml('10.0.0.256'))))[0]).toContain(`${own}: ${path}`);
});

test('the tag k3s-server refuses a port that cannot be', async () => {
  const loaded = await settings('{}');
  for (const value of ['10.0.0.4:99999', 'https://10.0.0.4:0']) {
    expect(await problemsOf(() => withTags(loaded, { 'k3s-server': value }))).toHaveLength(1);
  }
});
