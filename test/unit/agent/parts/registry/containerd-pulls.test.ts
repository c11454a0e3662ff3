import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { containerdPulls, observedPulls } from '../../../../../src/agent/parts/registry/containerd-pulls.ts';
import { renderProviderConfig } from '../../../../../src/agent/parts/registry/kubelet-config.ts';
import { servedRegistries } from '../../../../../src/agent/parts/registry/kubelet-config-text.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

const { k3s } = nodePaths('/');
const servers = ['team.azurecr.io', 'two.azurecr.io'];
const provider = renderProviderConfig(aNode('agent', { settings: { registries: { servers } } }));
const dropIn = `${k3s.config}.d/50-own.yaml`;
const containerd = `${k3s.agent}/etc/containerd/config.toml`;

async function found(files: object, settings: object = {}): Promise<readonly string[]> {
  const host = memoryHost({ files: { [k3s.credentialProvider]: provider, ...files } });
  const node = aNode('agent', { settings: { registries: { servers, ...settings } } });
  return (await containerdPulls(host, node)).map(({ why }) => why);
}

describe('containerd needs no fresh login', () => {
  test.each([
    ['if kubelet asks Slipway about each login server', {}, {}],
    [
      'without a login server',
      { [dropIn]: 'image-credential-provider-config: /etc/a.yaml' },
      { servers: [] },
    ],
    [
      'for a mirror that is not a login server',
      {},
      { mirrors: { 'docker.io': { endpoint: ['https://mirror.gcr.io'] } } },
    ],
    ['for a mirror without an endpoint', {}, { mirrors: { '*': {} } }],
    [
      'for a login server that is its own mirror',
      {},
      { mirrors: { 'team.azurecr.io': { endpoint: ['https://team.azurecr.io'], rewrite: { a: 'b' } } } },
    ],
    [
      'for a pause image that is not from a login server',
      { [k3s.config]: 'pause-image: rancher/team.azurecr.io:1' },
      {},
    ],
    [
      'for a default registry that is not a login server',
      { [dropIn]: 'system-default-registry: mirror.gcr.io' },
      {},
    ],
    [
      'for a registry in airgap-extra-registry, which only tags images',
      { [k3s.config]: 'airgap-extra-registry: [team.azurecr.io]' },
      {},
    ],
    ['for the pause image of K3s', { [containerd]: '  sandbox = "rancher/mirrored-pause:3.6"\n' }, {}],
    [
      'for a list without images of a login server',
      { [`${k3s.agent}/images/k3s.txt`]: 'docker.io/rancher/pause:3.6\n' },
      {},
    ],
    [
      'for a folder in place of a list of images',
      { [`${k3s.agent}/images/x.txt/a`]: 'team.azurecr.io/base:1\n' },
      {},
    ],
    [
      'for a folder in place of a drop-in',
      { [`${k3s.config}.d/x.yaml/a`]: 'pause-image: team.azurecr.io/a' },
      {},
    ],
    [
      'for a list of images that was renamed to .bak',
      { [`${k3s.agent}/images/own.txt.bak`]: 'team.azurecr.io/a:1\n' },
      {},
    ],
    ['for an archive of images', { [`${k3s.agent}/images/own.tar`]: 'team.azurecr.io/base:1\n' }, {}],
    [
      'if a flag names the usual path of the provider',
      { [k3s.config]: `image-credential-provider-config: ${k3s.credentialProvider}` },
      {},
    ],
  ])('%s', async (_name, files, settings) => {
    expect(await found(files, settings)).toEqual([]);
  });
});

describe('containerd needs a fresh login', () => {
  test.each([
    [
      { mirrors: { 'docker.io': { endpoint: ['https://mirror.gcr.io', 'https://TEAM.azurecr.io/v2/hub'] } } },
      'docker.io is mirrored by team.azurecr.io',
    ],
    [
      { mirrors: { 'quay.io': { endpoint: ['https://two.azurecr.io'], rewrite: { '^(.*)$': 'quay/$1' } } } },
      'quay.io is mirrored by two.azurecr.io',
    ],
    [
      { mirrors: { '*': { endpoint: ['https://team.azurecr.io', 'https://two.azurecr.io'] } } },
      'every other registry is mirrored by team.azurecr.io, two.azurecr.io',
    ],
  ])('for the mirrors in the settings %j', async (settings, expected) => {
    expect(await found({}, settings)).toEqual([expected]);
  });

  const otherProvider = provider.replace('slipway-credential-provider', 'acr-credential-provider');
  test.each([
    [k3s.config, 'pause-image: team.azurecr.io/pause:3.10', 'pause-image is team.azurecr.io/pause:3.10'],
    [dropIn, 'system-default-registry: two.azurecr.io', 'system-default-registry is two.azurecr.io'],
    [containerd, "  sandbox = 'two.azurecr.io/pause:3'\n", 'the pause image is two.azurecr.io/pause:3'],
    [containerd, 'sandbox_image = "two.azurecr.io/pause:3"\n', 'the pause image is two.azurecr.io/pause:3'],
    [
      `${k3s.agent}/images/own.txt`,
      'docker.io/a:1\n team.azurecr.io/base:1\n',
      `${k3s.agent}/images/own.txt lists images of team.azurecr.io`,
    ],
    [
      dropIn,
      'image-credential-provider-config: /etc/other.yaml',
      'image-credential-provider-config has kubelet ask another credential provider',
    ],
    [
      dropIn,
      'image-credential-provider-bin-dir: /opt/bin',
      'image-credential-provider-bin-dir has kubelet ask another credential provider',
    ],
    [
      dropIn,
      'kubelet-arg: [max-pods=60, image-credential-provider-config=/etc/other.yaml]',
      'image-credential-provider-config has kubelet ask another credential provider',
    ],
    [
      k3s.credentialProvider,
      otherProvider,
      `${k3s.credentialProvider} does not have kubelet ask Slipway about team.azurecr.io, two.azurecr.io`,
    ],
    [
      k3s.credentialProvider,
      provider.replace('two.azurecr.io', 'three.azurecr.io'),
      `${k3s.credentialProvider} does not have kubelet ask Slipway about two.azurecr.io`,
    ],
  ])('because %s contains %j', async (path, text, expected) => {
    expect(await found({ [path]: text })).toEqual([expected]);
  });

  test("for a registry about which the running kubelet does not ask Slipway, even if kubelet's configuration file is missing", async () => {
    const host = memoryHost();
    const node = aNode('agent', { settings: { registries: { servers } } });
    expect(await containerdPulls(host, node, servers)).toEqual([]);
    expect(await containerdPulls(host, node, ['team.azurecr.io'])).toEqual([
      {
        why: `${k3s.credentialProvider} does not have kubelet ask Slipway about two.azurecr.io`,
        servers: ['two.azurecr.io'],
      },
    ]);
  });

  test.each([
    [{ [dropIn]: 'pause-image: two.azurecr.io/pause:3' }, {}, ['two.azurecr.io']],
    [{ [`${k3s.agent}/images/a.txt`]: 'two.azurecr.io/a:1\n' }, {}, ['two.azurecr.io']],
    [{}, { mirrors: { '*': { endpoint: ['https://two.azurecr.io', 'https://x.io'] } } }, ['two.azurecr.io']],
    [{ [dropIn]: 'image-credential-provider-config: /etc/other.yaml' }, {}, servers],
  ])(
    'but only from the affected login servers, with the files %j and the settings %j',
    async (files, settings, expected) => {
      const host = memoryHost({ files: { [k3s.credentialProvider]: provider, ...files } });
      const node = aNode('agent', { settings: { registries: { servers, ...settings } } });
      expect(await containerdPulls(host, node)).toMatchObject([{ servers: expected }]);
    },
  );

  test('if kubelet has no configuration of a credential provider', async () => {
    const node = aNode('agent', { settings: { registries: { servers } } });
    expect(await containerdPulls(memoryHost(), node)).toMatchObject([{ servers }]);
  });

  test('for several reasons, each of which is reported', async () => {
    const mirrors = { 'docker.io': { endpoint: ['https://team.azurecr.io'] } };
    const reasons = await found({ [dropIn]: 'pause-image: team.azurecr.io/pause:1' }, { mirrors });
    expect(reasons).toHaveLength(2);
  });
});

describe('observedPulls', () => {
  const node = aNode('agent', { settings: { registries: { servers } } });
  const unreadable = (thrown: Error) => {
    const host = memoryHost();
    host.readFile = () => Promise.reject(thrown);
    return host;
  };

  test('returns the pulls for the registries about which kubelet does not ask Slipway', async () => {
    expect(await observedPulls(memoryHost(), node, ['team.azurecr.io'])).toMatchObject([
      { servers: ['two.azurecr.io'] },
    ]);
  });

  test('returns an empty list if a file cannot be read', async () => {
    expect(await observedPulls(unreadable(new NodeError('FileSystemError', 'broken')), node)).toEqual([]);
  });

  test('throws an error that is not a NodeError', async () => {
    await expect(observedPulls(unreadable(new TypeError('bug')), node)).rejects.toThrow('bug');
  });
});

test.each([
  ["the servers of Slipway's provider", provider, servers],
  ['no servers of another provider', provider.replace('slipway-', 'acr-'), []],
  ['no servers of a damaged configuration', 'providers: {', []],
  [
    'no servers of a configuration with an unexpected structure',
    'providers: [{ name: slipway-credential-provider }]',
    [],
  ],
  ['no servers of empty text', '', []],
])('servedRegistries returns %s', (_name, text, expected) => {
  expect(servedRegistries(text)).toEqual(expected);
});
