/** Tests that the emulated kubelet is as strict as kubelet, and runs the plugin that Slipway writes. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { pluginName, renderProviderConfig } from '../../src/agent/parts/registry/kubelet-config.ts';
import { renderPlugin } from '../../src/agent/parts/registry/kubelet-plugin.ts';
import { temporaryFolder } from '../integration/host/folder.ts';
import { type KubeletOptions, kubelet } from '../lab/kubelet.ts';
import { matchesImage } from '../lab/kubelet-config.ts';
import { aNode } from '../unit/agent/a-node.ts';

const version = 'credentialprovider.kubelet.k8s.io/v1';
const server = 'myteam.azurecr.io';
const image = `${server}/base/alpine:3.22`;
const login = { username: 'user', password: 'canary-4d1e' };
const answer = {
  kind: 'CredentialProviderResponse',
  apiVersion: version,
  cacheKeyType: 'Registry',
  cacheDuration: '10m',
  auth: { [server]: login },
};
const provider = { name: 'plugin', matchImages: [server], defaultCacheDuration: '1m', apiVersion: version };

let folder: string;
let options: KubeletOptions;
let now: number;

beforeEach(async () => {
  folder = await temporaryFolder();
  now = 0;
  options = { binDir: join(folder, 'bin'), config: join(folder, 'config.yaml'), env: {}, now: () => now };
  mkdirSync(options.binDir);
  configure([provider]);
});

function configure(providers: readonly object[], rest: object = {}): void {
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1',
    kind: 'CredentialProviderConfig',
    providers,
    ...rest,
  };
  writeFileSync(options.config, stringify(config));
}

function script(path: string, ...lines: readonly string[]): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
}

/** Writes a plugin that prints `text`. */
function printing(text: string): void {
  writeFileSync(join(folder, 'answer'), text);
  script(join(options.binDir, 'plugin'), `exec cat '${folder}/answer'`);
}

describe('the plugin that Slipway writes', () => {
  const printed = `'${JSON.stringify(answer)}'`;

  /**
   * Writes the plugin and kubelet's configuration for an executable at this path below `folder`; returns the
   * executable's absolute path.
   */
  function install(path: string): string {
    const slipway = join(folder, path);
    const node = aNode('agent', {
      root: join(folder, 'a root'),
      settings: { registries: { servers: [server] } },
    });
    writeFileSync(join(options.binDir, pluginName), renderPlugin({ slipway }), { mode: 0o755 });
    writeFileSync(options.config, renderProviderConfig(node));
    return slipway;
  }

  test.each([
    'slipway',
    'a folder/slipway',
    "it's/slipway",
    '$(touch x) `y` "z"/slipway',
    'back\\slash/slipway',
  ])('runs an executable at the path %s', async (path) => {
    const seen = `"$(dirname "$0")"/seen`;
    script(install(path), `{ printf '%s\\n' "$@"; cat; } > ${seen}`, `printf '%s' ${printed}`);
    expect(await kubelet(options).credentialsFor(image)).toEqual(login);
    expect(readFileSync(join(folder, path, '../seen'), 'utf8').split('\n')).toEqual([
      'credential-provider',
      '--root',
      join(folder, 'a root'),
      JSON.stringify({
        kind: 'CredentialProviderRequest',
        apiVersion: version,
        image: `${server}/base/alpine`,
      }),
      '',
    ]);
  });

  test("passes on no variable of K3s's environment", async () => {
    script(install('slipway'), `/usr/bin/env > '${folder}/seen'`, `printf '%s' ${printed}`);
    const env = {
      PATH: '/nowhere',
      HTTPS_PROXY: 'http://proxy',
      NODE_OPTIONS: '--inspect',
      AZURE_CLIENT_ID: 'x',
    };
    expect(await kubelet({ ...options, env }).credentialsFor(image)).toEqual(login);
    const names = readFileSync(join(folder, 'seen'), 'utf8').matchAll(/^(\w+)=/gm);
    // Ignores variables that the shell itself sets.
    expect(
      [...names].map(([, name]) => name).filter((name) => !/^(PWD|OLDPWD|SHLVL|_)$/.test(name ?? '')),
    ).toEqual([]);
  });

  test('limits core dumps to zero bytes', async () => {
    script(install('slipway'), `cat /proc/self/limits > '${folder}/seen'`, `printf '%s' ${printed}`);
    expect(await kubelet(options).credentialsFor(image)).toEqual(login);
    expect(readFileSync(join(folder, 'seen'), 'utf8')).toMatch(/^Max core file size +0 +0 /m);
  });

  test.each<[string, (slipway: string) => void]>([
    ['is missing', () => undefined],
    ['was moved away', (slipway) => [script(slipway), rmSync(slipway)]],
    ['is not executable', (slipway) => [script(slipway), chmodSync(slipway, 0o644)]],
  ])('fails with a message that names the executable if the executable %s', async (_, arrange) => {
    const slipway = install("it's\\gone/slipway");
    arrange(slipway);
    const node = kubelet(options);
    expect(await node.credentialsFor(image)).toBeUndefined();
    expect(node.log).toEqual([
      `Failed getting credential from external registry credential provider: error execing credential provider plugin ${pluginName} for image ${server}/base/alpine: exit status 1: ${pluginName}: ${slipway} is not there, so kubelet gets no login; install Slipway again\n`,
    ]);
  });
});

describe('the start of kubelet', () => {
  beforeEach(() => printing(JSON.stringify(answer)));

  test('succeeds with a valid configuration', () => {
    expect(() => kubelet(options)).not.toThrow();
  });

  const { apiVersion: _, ...withoutVersion } = provider;
  const { defaultCacheDuration: __, ...withoutDuration } = provider;
  test.each<[string, readonly object[], object, RegExp]>([
    ['the provider has an apiVersion', [withoutVersion], {}, /providers\.apiVersion: Required value/],
    [
      'the apiVersion of the provider is known',
      [{ ...provider, apiVersion: 'v2' }],
      {},
      /providers\.apiVersion: Unsupported value: "v2"/,
    ],
    [
      'defaultCacheDuration is given',
      [withoutDuration],
      {},
      /providers\.defaultCacheDuration: Required value/,
    ],
    [
      'defaultCacheDuration is a duration',
      [{ ...provider, defaultCacheDuration: 600 }],
      {},
      /invalid duration 600/,
    ],
    [
      'defaultCacheDuration is not negative',
      [{ ...provider, defaultCacheDuration: '-1m' }],
      {},
      /greater than or equal/,
    ],
    [
      'matchImages has an item',
      [{ ...provider, matchImages: [] }],
      {},
      /providers\.matchImages: Required value/,
    ],
    [
      'the name of the provider is a file name',
      [{ ...provider, name: '../plugin' }],
      {},
      /providers\.name: Invalid value/,
    ],
    [
      'all fields of the provider are known',
      [{ ...provider, timeout: '1m' }],
      {},
      /unknown field "providers\[0\]\.timeout"/,
    ],
    ['all fields of the configuration are known', [provider], { plugins: [] }, /unknown field "plugins"/],
    [
      'the configuration has an apiVersion',
      [provider],
      { apiVersion: undefined },
      /Object 'apiVersion' is missing in/,
    ],
    [
      'the kind of the configuration is known',
      [provider],
      { kind: 'Config' },
      /no kind "Config" is registered/,
    ],
    ['the configuration has a provider', [], {}, /at least 1 item in plugins is required/],
    ['the names of the providers differ', [provider, provider], {}, /duplicate provider name "plugin"/],
    ['the plugin exists', [{ ...provider, name: 'other' }], {}, /plugin binary executable {2}did not exist/],
  ])('fails unless %s', (_name, providers, rest, message) => {
    configure(providers, rest);
    expect(() => kubelet(options)).toThrow(/^Failed to register CRI auth plugins: /);
    expect(() => kubelet(options)).toThrow(message);
  });

  test.each<[string, () => void, RegExp]>([
    ['the plugin is executable', () => chmodSync(join(options.binDir, 'plugin'), 0o644), /permission denied/],
    [
      'the folder of plugins exists',
      () => rmSync(options.binDir, { recursive: true }),
      /plugin binary directory \S+ did not exist/,
    ],
    ['the configuration is YAML', () => writeFileSync(options.config, 'a: [\n'), /json parse error/],
  ])('fails unless %s', (_name, harm, message) => {
    harm();
    expect(() => kubelet(options)).toThrow(message);
  });
});

describe('an answer of a plugin', () => {
  test.each<[string, string, string]>([
    ['empty text', '', 'error decoding'],
    ['text that is not JSON', `password: ${login.password}`, 'error decoding'],
    ['text after the answer', `${JSON.stringify(answer)} done`, 'error decoding'],
    ['two answers', JSON.stringify(answer).repeat(2), 'error decoding'],
    ['a duplicate key', JSON.stringify(answer).replace('{', '{"kind":"x",'), 'error decoding'],
    ['another kind', JSON.stringify({ ...answer, kind: 'Other' }), 'error decoding'],
    ['another version', JSON.stringify({ ...answer, apiVersion: 'v1' }), 'did not match expected apiVersion'],
    ['an unknown field', JSON.stringify({ ...answer, expires: 1 }), 'error decoding'],
    [
      'an unknown cacheKeyType',
      JSON.stringify({ ...answer, cacheKeyType: 'Host' }),
      'valid cacheKeyType: "Host"',
    ],
    [
      'a missing cacheKeyType',
      JSON.stringify({ ...answer, cacheKeyType: undefined }),
      'valid cacheKeyType: ""',
    ],
    ['a negative duration', JSON.stringify({ ...answer, cacheDuration: '-1s' }), 'error decoding'],
    ['a number as duration', JSON.stringify({ ...answer, cacheDuration: 600 }), 'error decoding'],
    ['an invalid login', JSON.stringify({ ...answer, auth: { [server]: 'x' } }), 'error decoding'],
  ])('is refused: %s', async (_, text, message) => {
    printing(text);
    const node = kubelet(options);
    expect(await node.credentialsFor(image)).toBeUndefined();
    expect(node.log).toEqual([expect.stringContaining(message)]);
    expect(node.log.join()).not.toContain(login.password);
  });

  test('is refused if the plugin fails', async () => {
    script(
      join(options.binDir, 'plugin'),
      `printf '%s' '${JSON.stringify(answer)}'`,
      'echo sorry >&2',
      'exit 3',
    );
    const node = kubelet(options);
    expect(await node.credentialsFor(image)).toBeUndefined();
    expect(node.log).toEqual([expect.stringMatching(/exit status 3: sorry\n$/)]);
  });

  test('is refused if the plugin takes too long', async () => {
    script(join(options.binDir, 'plugin'), 'exec sleep 600');
    const node = kubelet({ ...options, timeout: 100 });
    expect(await node.credentialsFor(image)).toBeUndefined();
    expect(node.log).toEqual([expect.stringContaining('context deadline exceeded')]);
  });

  test('is not used if it is for another registry', async () => {
    printing(JSON.stringify({ ...answer, auth: { 'other.azurecr.io': login } }));
    expect(await kubelet(options).credentialsFor(image)).toBeUndefined();
  });
});

describe('the cache of kubelet', () => {
  const other = `${server}/web:1`;

  /**
   * Pulls images at these minutes, with `changes` to the plugin's answer; resolves to the total number of plugin runs
   * after each pull.
   */
  async function runs(
    changes: object,
    pulls: readonly (readonly [string, number])[],
  ): Promise<readonly number[]> {
    printing(JSON.stringify({ ...answer, ...changes }));
    configure([{ ...provider, matchImages: [server, 'docker.io'] }]);
    const node = kubelet(options);
    const seen: number[] = [];
    for (const [pulled, minutes] of pulls) {
      now = minutes * 60_000;
      await node.credentialsFor(pulled);
      seen.push(node.runs);
    }
    return seen;
  }

  test.each<[string, object, readonly (readonly [string, number])[], readonly number[]]>([
    [
      'keeps an answer for its cacheDuration',
      {},
      [
        [image, 0],
        [image, 10],
        [image, 11],
      ],
      [1, 1, 2],
    ],
    [
      'keeps an answer without a cacheDuration for defaultCacheDuration',
      { cacheDuration: undefined },
      [
        [image, 0],
        [image, 1],
        [image, 2],
      ],
      [1, 1, 2],
    ],
    [
      'does not keep an answer with a cacheDuration of zero',
      { cacheDuration: '0s' },
      [
        [image, 0],
        [image, 0],
      ],
      [1, 2],
    ],
    [
      'keeps one answer per registry with cacheKeyType Registry',
      {},
      [
        [image, 0],
        [other, 0],
        ['alpine', 0],
      ],
      [1, 1, 2],
    ],
    [
      'keeps one answer for all tags of an image with cacheKeyType Image',
      { cacheKeyType: 'Image' },
      [
        [image, 0],
        [image.replace('3.22', '3'), 0],
        [other, 0],
      ],
      [1, 1, 2],
    ],
    [
      'keeps one answer for all images with cacheKeyType Global',
      { cacheKeyType: 'Global' },
      [
        [image, 0],
        [other, 0],
        ['alpine', 0],
      ],
      [1, 1, 1],
    ],
    [
      'does not keep a refused answer',
      { cacheKeyType: 'Host' },
      [
        [image, 0],
        [image, 0],
      ],
      [1, 2],
    ],
  ])('%s', async (_, changes, pulls, expected) => {
    expect(await runs(changes, pulls)).toEqual(expected);
  });

  test('serves concurrent pulls of one image with one answer', async () => {
    script(join(options.binDir, 'plugin'), 'sleep 0.2', `printf '%s' '${JSON.stringify(answer)}'`);
    const node = kubelet(options);
    const logins = await Promise.all([image, image, other].map((each) => node.credentialsFor(each)));
    expect(logins).toEqual([login, login, login]);
    expect(node.runs).toBe(2);
  });
});

test('a plugin gets the variables of K3s, overridden by those in its configuration', async () => {
  script(join(options.binDir, 'plugin'), `printf '%s' "$MINE $THEIRS" > '${folder}/seen'`, 'exit 1');
  configure([{ ...provider, env: [{ name: 'MINE', value: 'entry' }] }]);
  await kubelet({ ...options, env: { MINE: 'k3s', THEIRS: 'k3s' } }).credentialsFor(image);
  expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe('entry k3s');
});

test.each([
  ['myteam.azurecr.io', 'myteam.azurecr.io/base', true],
  ['myteam.azurecr.io', 'myteam.westeurope.geo.azurecr.io/base', false],
  ['myteam.azurecr.io', 'myteam.azurecr.io:5000/base', false],
  ['myteam.azurecr.io:5000', 'myteam.azurecr.io:5000/base', true],
  ['myteam.azurecr.io', 'xmyteam.azurecr.io/base', false],
  ['*.azurecr.io', 'myteam.azurecr.io/base', true],
  ['*.azurecr.io', 'azurecr.io/base', false],
  ['*.azurecr.io', 'a.b.azurecr.io/base', false],
  ['myteam.azurecr.io/base', 'myteam.azurecr.io/base', true],
  ['myteam.azurecr.io/base', 'myteam.azurecr.io/web', false],
  ['myteam.azurecr.io/*', 'myteam.azurecr.io/base', false],
])('matchesImage(%s, %s) is %s', (pattern, repository, expected) => {
  expect(matchesImage(pattern, repository)).toBe(expected);
});
