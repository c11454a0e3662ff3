import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { consentAdvice } from '../../../../src/agent/settings/consents.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { settingsSchema } from '../../../../src/agent/settings/schema.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { problemsOf } from './invalid.ts';

const own = '/etc/slipway/config.yaml';

function problems(settings: object): Promise<readonly string[]> {
  const host = memoryHost({ files: { [own]: JSON.stringify(settings) } });
  return problemsOf(() => load(host, { paths: nodePaths('/') }));
}

function advice(url: string): string {
  return `or ${consentAdvice({ consent: {} }, 'plainHttp', url)}`;
}

function mirrored(endpoint: string, more: object = {}, name = 'docker.io') {
  return { registries: { mirrors: { [name]: { endpoint: [endpoint] } }, ...more } };
}

const auth = { username: 'puller', password: 'hunter2' };
const settingsWith: Readonly<Record<string, (url: string) => object>> = {
  'k3s.releaseUrl': (releaseUrl) => ({ k3s: { releaseUrl } }),
  'k3s.channelUrl': (channelUrl) => ({ k3s: { channelUrl } }),
  'gitops.flux.releaseUrl': (releaseUrl) => ({ gitops: { flux: { releaseUrl } } }),
  'gitops.argocd.chartRepository': (chartRepository) => ({ gitops: { argocd: { chartRepository } } }),
  'gitops.argocd.githubApp.enterpriseUrl': (enterpriseUrl) => ({
    gitops: {
      argocd: { githubApp: { appId: 1, installationId: 2, privateKeySecretName: 'k', enterpriseUrl } },
    },
  }),
  'azure.imdsEndpoint': (imdsEndpoint) => ({ azure: { imdsEndpoint } }),
  'oracle.imdsEndpoint': (imdsEndpoint) => ({ oracle: { imdsEndpoint } }),
  'backup.s3.endpoint': (endpoint) => ({ backup: { to: 's3://backups', s3: { endpoint } } }),
  'network.proxy': (proxy) => ({ network: { proxy, proxyCredentialsFile: '/etc/slipway/proxy' } }),
  'registries.mirrors."docker.io".endpoint[0]': (url) => mirrored(url, { configs: { '*': { auth } } }),
  'workloads.charts.app.repo': (repo) => ({
    workloads: { charts: { app: { chart: 'app', repo, version: '1.0.0', namespace: 'app' } } },
  }),
};

/** Settings whose URL may be plain http without consent, each with the reason. */
const harmless: Readonly<Record<string, string>> = {
  'azure.registryAudience': 'it names an audience, and gets no request',
};

test('every setting that accepts a plain-http URL is tested here, or listed as harmless', () => {
  const known = [...Object.keys(settingsWith), ...Object.keys(harmless)];
  expect([...urlSettings(settingsSchema, '')].sort()).toEqual(
    known.map((path) => path.replace(/"[^"]*"|\bapp\b/, '*')).sort(),
  );
});

/**
 * Returns the paths of the settings that accept plain-http URLs but not arbitrary strings; `*` stands for any key of a
 * map.
 */
function urlSettings(schema: z.core.$ZodType, path: string): readonly string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'optional') {
    return urlSettings(def.innerType, path);
  }
  if (def.type === 'array') {
    return urlSettings(def.element, `${path}[0]`);
  }
  if (def.type === 'record') {
    return urlSettings(def.valueType, `${path}.*`);
  }
  if (def.type === 'object') {
    return Object.entries(def.shape).flatMap(([key, inner]) =>
      urlSettings(inner, path === '' ? key : `${path}.${key}`),
    );
  }
  const takes = (value: string) => z.core.safeParse(schema, value).success;
  return takes('http://a.example') && !takes('no-url') ? [path] : [];
}

describe.each(Object.entries(settingsWith))('the setting %s', (path, settings) => {
  test.each(['http://mirror.example:8080/k3s', 'http://10.0.0.9', 'http://127.0.0.1.example'])(
    'refuses %s without consent, and shows the consent line',
    async (url) => {
      const [problem, ...others] = await problems(settings(url));
      expect(others).toEqual([]);
      expect(problem).toMatch(`${own}: ${path}: is plain http: anyone between this node and `);
      expect(problem).toContain(advice(url));
      expect(problem).not.toContain('hunter2');
    },
  );

  test('accepts only the URL that the consent names', async () => {
    const consent = { plainHttp: ['http://mirror.example'] };
    expect(await problems({ ...settings('http://mirror.example'), consent })).toEqual([]);
    for (const other of ['http://mirror.example:81', 'http://other.example']) {
      expect(await problems({ ...settings(other), consent })).toHaveLength(1);
    }
  });

  test.each([
    'https://mirror.example',
    'http://127.0.0.1:8080',
    'http://127.10.20.30',
    'http://[::1]:8080',
    'http://localhost:8080',
    'http://169.254.169.254',
  ])('accepts %s without consent', async (url) => {
    expect(await problems(settings(url))).toEqual([]);
  });

  test('is not reported as plain http if its URL has a different fault', async () => {
    const found = await problems(settings('http://me:hunter2@mirror.example'));
    expect(found.join()).not.toMatch(/plain http|hunter2/);
  });
});

test.each([
  ['a proxy without a login', { network: { proxy: 'http://proxy.example:3128' } }],
  ['a mirror without a login', mirrored('http://mirror.example')],
  [
    'a mirror at another port than its login',
    mirrored('http://a.io:5000', { configs: { 'a.io': { auth } } }),
  ],
  ['a mirror whose login is null', mirrored('http://a.io', { configs: { 'a.io': { auth: null } } })],
])('the settings need no consent to the plain http of %s', async (_, settings) => {
  expect(await problems(settings)).toEqual([]);
});

test.each([
  ['with its own login', mirrored('http://a.io', { configs: { 'a.io': { auth } } })],
  ['with a login for any registry', mirrored('http://a.io', { configs: { '*': { auth } } })],
  ['whose login names port 80', mirrored('http://a.io', { configs: { 'a.io:80': { auth } } })],
  ['that is a login server', mirrored('http://a.io', { servers: ['a.io'] })],
])('without consent, the settings refuse a plain-http mirror %s', async (_, settings) => {
  expect(await problems(settings)).toEqual([expect.stringContaining(advice('http://a.io'))]);
});

test('without consent, the settings refuse a plain-http mirror on the port that its login names', async () => {
  const settings = mirrored('http://a.io:8080', { configs: { 'a.io:8080': { auth } } });
  expect(await problems(settings)).toEqual([expect.stringContaining(advice('http://a.io:8080'))]);
});

test('the settings do not report plain http for a mirror that is not a URL', async () => {
  const found = await problems(mirrored('a.io', { configs: { '*': { auth } } }));
  expect(found.join()).toContain('registries.mirrors."docker.io".endpoint[0]');
  expect(found.join()).not.toContain('plain http');
});

test('a mirror of a login server over http needs one consent, not two', async () => {
  const settings = mirrored('http://a.io', { servers: ['a.io'] }, 'a.io');
  expect(await problems(settings)).toEqual([expect.stringContaining('foreignMirrors')]);
  const withPort = mirrored('http://a.io', { servers: ['a.io'] }, 'a.io:443');
  expect(await problems(withPort)).toEqual([expect.stringContaining('foreignMirrors')]);
  const consent = { foreignMirrors: ['a.io=http://a.io'] };
  expect(await problems({ ...settings, consent })).toEqual([]);
  expect(await problems({ ...withPort, consent })).toEqual([]);
});

test('consent.plainHttp must be a list of URLs, not true', async () => {
  const [problem] = await problems({ k3s: { releaseUrl: 'http://a.io' }, consent: { plainHttp: true } });
  expect(problem).toContain('consent.plainHttp: must be a list');
});
