import { describe, expect, test } from 'vitest';
import {
  credentialProvider,
  renderPlugin,
  renderProviderSettings,
} from '../../../../../src/agent/parts/registry/kubelet-plugin.ts';
import { onlyKnown } from '../../../../../src/agent/settings/known-keys.ts';
import { resolveLayers } from '../../../../../src/agent/settings/load.ts';
import type { Settings } from '../../../../../src/agent/settings/schema.ts';
import { readYaml } from '../../../../../src/agent/settings/yaml.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle, someSettings } from '../../a-node.ts';

const servers = ['myteam.azurecr.io', 'myteam.westeurope.geo.azurecr.io'];
const node = aNode('agent', { settings: { registries: { servers } } });

test('credentialProvider installs the plugin, its settings, and then the configuration of kubelet', () => {
  expect(credentialProvider(node).map(({ id, needs = [] }) => [id, ...needs])).toEqual([
    ['File//var/lib/rancher/credentialprovider/bin/slipway-credential-provider'],
    ['File//var/lib/slipway/credential-provider.yaml'],
    [
      'File//var/lib/rancher/credentialprovider/config.yaml',
      'File//var/lib/rancher/credentialprovider/bin/slipway-credential-provider',
    ],
  ]);
});

test('credentialProvider removes the provider if the settings name no login server', () => {
  expect(credentialProvider(aNode('agent')).map(({ id }) => id)).toEqual(['CredentialProvider/none']);
});

describe('the credential plugin of kubelet', () => {
  const path = '/var/lib/rancher/credentialprovider/bin/slipway-credential-provider';
  const text = renderPlugin(node);
  const [plugin] = credentialProvider(node);
  if (!plugin) {
    throw new Error('there is no plugin');
  }

  test("is a script that runs Slipway's executable with an empty environment", () => {
    expect(text).toBe(`#!/bin/sh
# Written by Slipway: kubelet runs this for the login to a registry, and Slipway answers.
slipway='/usr/bin/slipway'
if [ ! -x "$slipway" ]; then
  printf '%s\\n' "slipway-credential-provider: $slipway is not there, so kubelet gets no login; install Slipway again" >&2
  exit 1
fi
# K3s's unit allows core dumps, and one would hold a credential.
ulimit -c 0 2>/dev/null || :
exec /usr/bin/env -i "$slipway" "$@"
`);
  });

  test("quotes the path of Slipway's executable", () => {
    expect(renderPlugin({ slipway: "/opt/it's $(here)/slipway" })).toContain(
      "\nslipway='/opt/it'\\''s $(here)/slipway'\n",
    );
  });

  test.each<[string, (host: MemoryHost) => void, string]>([
    ['is written if it is missing', () => undefined, 'content, mode'],
    ['is restored after an edit', (host) => host.files.write(path, '#!/bin/sh\nexit 0\n', 0o755), 'content'],
    ['is restored if it is not executable', (host) => host.files.write(path, text, 0o644), 'mode'],
    ['replaces a dangling link', (host) => host.files.link(path, '/usr/bin/slipway'), 'content, mode'],
    [
      'replaces a link to a copy of the plugin',
      (host) => {
        host.files.write('/opt/copy', text, 0o755);
        host.files.link(path, '/opt/copy');
      },
      'content, mode',
    ],
  ])('%s', async (_, arrange, drifted) => {
    const host = memoryHost();
    arrange(host);
    expect(await settle(plugin, host)).toEqual([`Drifted ${drifted}`, 'InSync']);
    expect(host.files.stat(path)).toMatchObject({ kind: 'file', mode: 0o755 });
    expect(host.files.text(path)).toBe(text);
  });
});

describe('the settings file of the plugin', () => {
  const file = '/var/lib/slipway/credential-provider.yaml';

  function loaded(settings: Settings): Settings {
    const values = onlyKnown(readYaml(renderProviderSettings(settings)).value);
    return resolveLayers({ files: [{ origin: file, values }], tags: [], commandLine: [] }).settings;
  }

  test.each<[string, Parameters<typeof someSettings>[0]]>([
    ['with the defaults', {}],
    [
      'with all fields of azure',
      {
        azure: {
          imdsEndpoint: 'http://127.0.0.1:8080',
          environment: 'china',
          identity: { clientId: '11111111-2222-3333-4444-555555555555' },
          keyVault: { url: 'https://vault.example' },
          registryAudience: 'https://management.azure.com',
        },
        network: { proxy: 'http://proxy:3128', noProxy: ['.example.com', '*'], caFile: '/etc/ca #1.pem' },
      },
    ],
    [
      'with plain http by consent',
      {
        azure: { imdsEndpoint: 'http://imds.example' },
        network: { proxy: 'http://proxy.example:3128', proxyCredentialsFile: '/etc/slipway/proxy' },
        consent: { plainHttp: ['http://imds.example', 'http://proxy.example:3128'] },
      },
    ],
    [
      'with all fields of static',
      {
        static: {
          computerName: '0123',
          vmId: 'null',
          location: 'yes',
          address: '10.0.0.4',
          tags: { 'k3s-role': '1e5', '~': 'a: "b"', '- x': "'" },
          secrets: { 'k3s-token': '/etc/token' },
          registries: { [servers[0] ?? '']: { username: '#1', passwordFile: '/etc/pass word' } },
        },
      },
    ],
  ])('is read back unchanged %s', (_, changes) => {
    const settings = someSettings({ ...changes, registries: { servers } });
    const read = loaded(settings);
    for (const section of ['cloud', 'azure', 'static', 'network'] as const) {
      expect(read[section]).toEqual(settings[section]);
    }
    expect(read.registries).toEqual(someSettings({ registries: { servers } }).registries);
  });

  test('is read back unchanged with another cloud', () => {
    const settings: Settings = { ...someSettings(), cloud: 'static' };
    expect(loaded(settings).cloud).toBe('static');
  });

  test('contains no secret, and no settings that the plugin does not need', () => {
    const settings = someSettings({
      registries: { servers, configs: { 'ghcr.io': { auth: { username: 'robot', password: 'hunter2' } } } },
    });
    const text = renderProviderSettings(settings);
    expect(text).not.toMatch(/hunter2|ghcr|joinToken|k3s:|gitops|schedule/);
  });

  test('is readable by root only', async () => {
    const host = memoryHost();
    const [, settings] = credentialProvider(node);
    expect(settings && (await settle(settings, host))).toEqual(['Drifted content, mode', 'InSync']);
    expect(host.files.stat(file)?.mode).toBe(0o600);
  });
});
