import { describe, expect, test } from 'vitest';
import {
  noProvider,
  providerConfig,
  renderProviderConfig,
} from '../../../../../src/agent/parts/registry/kubelet-config.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { readProviders } from '../../../../lab/kubelet-config.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../a-node.ts';

const paths = nodePaths('/');
const path = '/var/lib/rancher/credentialprovider/config.yaml';
const plugin = '/var/lib/rancher/credentialprovider/bin/slipway-credential-provider';
const servers = ['myteam.azurecr.io', 'myteam.westeurope.geo.azurecr.io'];
const node = aNode('agent', { settings: { registries: { servers } } });
const text = renderProviderConfig(node);

const foreign = `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider # in place of slipway-credential-provider
`;

test('renderProviderConfig names each login server', () => {
  expect(text).toBe(`# Written by Slipway, from registries.servers; kubelet reads it when K3s starts.
apiVersion: "kubelet.config.k8s.io/v1"
kind: "CredentialProviderConfig"
providers:
  - name: "slipway-credential-provider"
    matchImages:
      - "myteam.azurecr.io"
      - "myteam.westeurope.geo.azurecr.io"
    defaultCacheDuration: "10m"
    apiVersion: "credentialprovider.kubelet.k8s.io/v1"
    args:
      - "credential-provider"
      - "--root"
      - "/"
`);
});

test('renderProviderConfig returns a configuration that kubelet accepts, even below another root', () => {
  const below = aNode('agent', { root: '/tmp/a lab', settings: { registries: { servers } } });
  expect(readProviders(renderProviderConfig(below))).toEqual([
    {
      name: 'slipway-credential-provider',
      matchImages: servers,
      defaultCacheDuration: 600_000,
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      args: ['credential-provider', '--root', '/tmp/a lab'],
      env: [],
    },
  ]);
});

describe('providerConfig', () => {
  const resource = providerConfig(node, ['plugin']);

  function machine(content?: string): MemoryHost {
    const host = memoryHost();
    host.files.write(plugin, '#!/bin/sh\n', 0o755);
    if (content !== undefined) {
      host.files.write(path, content);
    }
    return host;
  }

  test.each([
    ['missing', undefined],
    ['empty', '\n'],
    ["Slipway's, but names other servers", text.replace('myteam.azurecr.io', 'other.azurecr.io')],
    ["Slipway's, but lacks its first line", text.slice(text.indexOf('\n') + 1).replace('10m', '1h')],
    ["Slipway's, but truncated", text.slice(0, 120)],
    [
      "Slipway's, but truncated and without its first line",
      'providers:\n  - name: "slipway-credential-provider',
    ],
  ])('writes the configuration if the file is %s', async (_, content) => {
    const host = machine(content);
    expect((await settle(resource, host)).at(-1)).toBe('InSync');
    expect(host.files.text(path)).toBe(text);
    expect(host.lines()).toHaveLength(1);
  });

  test.each([
    ['the configuration of another provider', foreign],
    ["another provider in Slipway's file", text.replace('slipway-credential', 'ecr-credential')],
    [
      'a truncated file with another provider',
      `${text}  - name: ecr-credential-provider\n    matchImages: [`,
    ],
    ['a file that is not YAML', 'providers: [\n'],
    ['a file that is not a map', 'ecr\n'],
    ['a map whose providers are not a list', 'providers: { name: x }\n'],
  ])('does not replace %s, and does not block', async (_, content) => {
    const host = machine(content);
    expect(await settle(resource, host)).toEqual(['ProviderNotOurs (person, non-blocking)']);
    expect(host.files.text(path)).toBe(content);
  });

  test.each([
    ['full of NUL characters', '\0'.repeat(text.length)],
    ['with NUL characters from the middle on', `${text.slice(0, 60)}${'\0'.repeat(200)}`],
    ...Array.from({ length: text.length / 10 }, (_, at) => [
      `cut off after ${at * 10} characters`,
      text.slice(0, at * 10),
    ]),
  ])("replaces Slipway's file if a power loss left it %s", async (_name, content) => {
    const host = machine(content);
    await settle(resource, host);
    expect(host.files.text(path)).toBe(text);
  });

  test("does not replace another provider whose name is the beginning of the name of Slipway's provider", async () => {
    const content = 'providers:\n  - name: slipway\n    matchImages: ["x"]\n';
    const host = machine(content);
    expect(await settle(resource, host)).toEqual(['ProviderNotOurs (person, non-blocking)']);
  });

  const merged = `${text}  - name: theirs\n    matchImages: ["*.example.com"]\n`;

  test('accepts a file with other providers only while its entry for Slipway names each server, and never replaces it', async () => {
    const host = machine(merged);
    expect(await settle(resource, host)).toEqual(['InSync']);
    host.files.write(path, merged.replace('myteam.azurecr.io', 'other.azurecr.io'));
    await expect(resource.check(host)).rejects.toThrow(
      'so kubelet does not ask Slipway for logins to myteam.azurecr.io. To let Slipway answer, name these in matchImages of its entry slipway-credential-provider, and restart K3s.',
    );
    expect(host.lines()).toEqual([]);
  });

  test('writes the same text if the settings reorder or repeat the login servers', () => {
    const again = aNode('agent', {
      settings: { registries: { servers: [...servers, ...servers].reverse() } },
    });
    expect(renderProviderConfig(again)).toBe(text);
  });

  test.each([
    ['is gone', (host: MemoryHost) => host.files.remove(plugin)],
    ['cannot be run', (host: MemoryHost) => host.files.write(plugin, '#!/bin/sh\n', 0o644)],
    ['is a link', (host: MemoryHost) => host.files.link(plugin, '/usr/bin/slipway')],
  ])('removes the file if the plugin %s, and writes it again once the plugin is back', async (_, harm) => {
    const host = machine(text);
    harm(host);
    const finding = await resource.check(host);
    expect(finding).toMatchObject({ drift: { summary: expect.stringContaining(`without ${plugin}`) } });
    expect(await settle(resource, host)).toEqual([`Drifted ${path}`, 'Waiting Blocked']);
    expect(host.lines()).toEqual([`remove ${path}`]);
    host.files.write(plugin, '#!/bin/sh\n', 0o755);
    expect((await settle(resource, host)).at(-1)).toBe('InSync');
    expect(host.files.text(path)).toBe(text);
  });

  test('writes no file without the plugin, and waits for the plugin', async () => {
    const host = machine();
    host.files.remove(plugin);
    expect(await settle(resource, host)).toEqual(['Waiting Blocked']);
    expect(await resource.check(host)).toMatchObject({
      blocks: false,
      message: expect.stringContaining(`waits for ${plugin}`),
    });
    host.files.link(plugin, '/usr/bin/slipway');
    expect(await outcome(resource, host)).toBe('Waiting Blocked');
  });

  test.each([
    [
      'fails if a drop-in for K3s names another configuration',
      'image-credential-provider-config: /etc/ecr.yaml\n',
      'ProviderNotOurs (person, non-blocking)',
    ],
    [
      'fails if a drop-in for K3s names another plugin folder',
      'image-credential-provider-bin-dir: /opt/bin\n',
      'ProviderNotOurs (person, non-blocking)',
    ],
    [
      'fails if a drop-in for K3s passes another configuration to kubelet',
      'kubelet-arg: [max-pods=50, image-credential-provider-config=/x]\n',
      'ProviderNotOurs (person, non-blocking)',
    ],
    [
      'writes the file if a drop-in for K3s names the same path',
      `image-credential-provider-config: ${path}\n`,
      'Drifted content, mode',
    ],
    [
      'writes the file if a drop-in for K3s names no provider',
      'tls-san: [k8s.example]\n',
      'Drifted content, mode',
    ],
    ['writes the file if a drop-in for K3s is not YAML', 'a: [\n', 'Drifted content, mode'],
    ['writes the file if a drop-in for K3s is empty', '', 'Drifted content, mode'],
  ])('%s', async (_, content, expected) => {
    const host = machine();
    host.files.write('/etc/rancher/k3s/config.yaml.d/50-mine.yaml', content);
    host.files.write('/etc/rancher/k3s/config.yaml.d/notes.txt', 'image-credential-provider-config: /x\n');
    expect(await outcome(resource, host)).toBe(expected);
  });
});

describe('the removal of the credential provider', () => {
  const resource = noProvider(paths);
  const logins = '/var/lib/slipway/logins.json';
  const former = '/run/slipway/registry-logins.json';
  const settings = '/var/lib/slipway/credential-provider.yaml';
  const ours = { [path]: text, [logins]: '{}', [former]: '{}', [settings]: '', [plugin]: '#!/bin/sh\n' };

  test("removes kubelet's configuration first, and keeps the plugin", async () => {
    const host = memoryHost({ files: ours });
    expect((await settle(resource, host)).at(-1)).toBe('InSync');
    expect(host.lines()).toEqual([path, logins, former, settings].map((each) => `remove ${each}`));
    expect(host.files.stat(plugin)?.kind).toBe('file');
  });

  test('continues after a crash', async () => {
    const host = memoryHost({ files: ours });
    host.crashBefore(2);
    await settle(resource, host).catch(() => undefined);
    host.restart();
    expect(await settle(resource, host)).toEqual([`Drifted ${logins}, ${former}, ${settings}`, 'InSync']);
  });

  test("keeps another program's configuration", async () => {
    const host = memoryHost({ files: { [path]: foreign } });
    expect(await settle(resource, host)).toEqual(['InSync']);
    expect(host.files.text(path)).toBe(foreign);
  });

  test('does nothing without a provider', async () => {
    const host = memoryHost();
    expect(await settle(resource, host)).toEqual(['InSync']);
    expect(host.lines()).toEqual([]);
  });
});
