import { describe, expect, test } from 'vitest';
import { wishedCharts } from '../../../../../src/agent/parts/workloads/wished-charts.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { load } from '../../../../../src/agent/settings/load.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { problemsOf } from '../../settings/invalid.ts';

const own = '/etc/slipway/config.yaml';
const oci = { chart: 'oci://ghcr.io/team/charts/app', version: '1.0.0', namespace: 'app' };
const archive = { chart: 'https://example.com/app-1.0.0.tgz', namespace: 'app' };
const named = { chart: 'app', repo: 'https://charts.example.com', version: '1.0.0', namespace: 'app' };

function loaded(charts: object, k3s: object = {}) {
  const settings = { workloads: { charts }, k3s: { config: k3s } };
  return load(memoryHost({ files: { [own]: JSON.stringify(settings) } }), { paths: nodePaths('/') });
}

async function specOf(chart: object) {
  const { settings } = await loaded({ app: chart });
  return wishedCharts(settings)[0]?.wish.spec;
}

describe('the spec of a HelmChart', () => {
  test.each([
    ['an OCI address', oci, { chart: oci.chart, version: '1.0.0' }],
    ['a name in a repository', named, { chart: 'app', repo: named.repo, version: '1.0.0' }],
    ['an archive', archive, { chart: archive.chart }],
  ])('for %s has safe defaults, and no value that K3s would rewrite', async (_, chart, source) => {
    expect(await specOf(chart)).toEqual({
      ...source,
      ...{ targetNamespace: 'app', createNamespace: true, failurePolicy: 'abort' },
    });
  });

  test('has the values as text, because older releases of K3s ignore values that are not text', async () => {
    const spec = await specOf({ ...oci, values: { replicas: 2, hosts: ['a', 'b'] } });
    expect(JSON.parse(spec?.valuesContent ?? '')).toEqual({ replicas: 2, hosts: ['a', 'b'] });
  });

  test('has no createNamespace and no bootstrap if these are false', async () => {
    const spec = await specOf({ ...oci, createNamespace: false, bootstrap: false });
    expect(Object.keys(spec ?? {})).toEqual(['chart', 'version', 'targetNamespace', 'failurePolicy']);
  });

  test.each([
    ['1m', '1m0s'],
    ['90m', '1h30m0s'],
    ['2h', '2h0m0s'],
  ])('has the timeout %s as Go prints it', async (timeout, printed) => {
    expect(await specOf({ ...oci, timeout })).toMatchObject({ timeout: printed });
  });

  test.each([
    ['a repository', named, { authSecret: { name: 'login' } }],
    ['a registry', oci, { dockerRegistrySecret: { name: 'login' } }],
  ])('names the Secret with the login for %s', async (_, chart, login) => {
    expect(await specOf({ ...chart, authSecret: 'login' })).toMatchObject(login);
  });

  test('names the Secrets with further values', async () => {
    expect(await specOf({ ...oci, valuesSecrets: { 'app-values': ['values.yaml'] } })).toMatchObject({
      valuesSecrets: [{ name: 'app-values', keys: ['values.yaml'] }],
    });
  });
});

test.each<[string, object, string]>([
  [
    'no version',
    { ...oci, version: null },
    'charts.app.version: is missing; without it, K3s installs the newest',
  ],
  [
    'a version for an archive',
    { ...archive, version: '1.0.0' },
    'charts.app.version: has no effect, since chart is',
  ],
  [
    'a login for an archive',
    { ...archive, authSecret: 'login' },
    'charts.app.authSecret: has no effect, since chart is',
  ],
  [
    'a repository beside an OCI address',
    { ...oci, repo: named.repo },
    'charts.app.repo: cannot stand beside',
  ],
  [
    'a repository beside an archive',
    { ...archive, repo: named.repo },
    'charts.app.repo: cannot stand beside',
  ],
  [
    'a name without a repository',
    { ...named, repo: null },
    'charts.app.chart: is a name without a repository',
  ],
  [
    'an address with a version',
    { ...oci, chart: `${oci.chart}:1.0.0` },
    'charts.app.chart: must be the name',
  ],
  [
    'an address with a password',
    { ...archive, chart: 'https://u:p@a.io/b.tgz' },
    'charts.app.chart: must be',
  ],
  [
    'an archive over plain http',
    { ...archive, chart: 'http://a.io/b.tgz' },
    'charts.app.chart: is plain http',
  ],
  ['an address with a user', { ...oci, chart: 'oci://team@ghcr.io/app' }, 'charts.app.chart: must be'],
  [
    'a Secret without keys, which K3s would rewrite',
    { ...oci, valuesSecrets: { 'app-values': [] } },
    'charts.app.valuesSecrets.app-values: must name',
  ],
  ['an unknown policy', { ...oci, failurePolicy: 'ignore' }, 'charts.app.failurePolicy'],
  ['an unknown key', { ...oci, set: { a: 1 } }, 'charts.app.set'],
  ['no namespace', { ...oci, namespace: null }, 'charts.app.namespace'],
])('the settings refuse a chart with %s', async (_, chart, problem) => {
  const [first, ...others] = await problemsOf(() => loaded({ app: chart }));
  expect(first).toContain(`workloads.${problem}`);
  expect(others).toEqual([]);
});

test.each([['A'], ['a_b'], ['a.b'], ['-a'], ['a'.repeat(51)]])(
  'the settings refuse %s as the name of a release',
  async (name) => {
    const [first] = await problemsOf(() => loaded({ [name]: oci }));
    expect(first).toContain('must be the name of a release: up to 50 lower-case letters, digits and dashes');
  },
);

test('the settings accept a name of 50 characters', async () => {
  expect(await problemsOf(() => loaded({ ['a'.repeat(50)]: oci }))).toEqual([]);
});

test.each(['traefik', 'traefik-crd'])(
  'the settings refuse the release name %s unless k3s.config disables traefik',
  async (name) => {
    const [first] = await problemsOf(() => loaded({ [name]: oci }));
    expect(first).toContain(
      'is the name of a chart that K3s installs itself; choose another name, or set k3s.config',
    );
    for (const disable of ['traefik', 'servicelb,traefik', ['servicelb', 'traefik']]) {
      expect(await problemsOf(() => loaded({ [name]: oci }, { disable }))).toEqual([]);
      expect(await problemsOf(() => loaded({ [name]: oci }, { 'disable+': disable }))).toEqual([]);
    }
  },
);

test('the settings refuse charts if k3s.config disables the helm controller', async () => {
  const [first] = await problemsOf(() => loaded({ app: oci }, { 'disable-helm-controller': true }));
  expect(first).toContain('is never installed, since k3s.config sets disable-helm-controller');
});
