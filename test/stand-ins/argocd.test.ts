import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryFiles } from '../lab/memory-files.ts';
import { memoryObjects } from '../lab/memory-objects.ts';
import { runArgocd } from '../lab/standins/argocd.ts';
import { invalidApplication } from '../lab/standins/argocd-crd.ts';
import type { Fetched, GitHost, GitLogin } from '../lab/standins/argocd-git.ts';
import type { ApiObject, Objects } from '../lab/standins/k3s-objects.ts';

const repoURL = 'https://git.example/acme/fleet.git';
const source = { repoURL, targetRevision: 'main', path: 'clusters/a' };
const automated = { prune: true, selfHeal: true };
const crd = 'customresourcedefinitions.apiextensions.k8s.io';
const applications = 'applications.argoproj.io';

let objects: Objects;
let seen: GitLogin | undefined;
let repository: Fetched;

beforeEach(() => {
  objects = memoryObjects(new MemoryFiles(() => 0), '/objects');
  seen = undefined;
  repository = { commit: '4f2e', folders: { 'clusters/a': [] } };
});

/** The Git host of these tests, which accepts only one password. */
const git: GitHost = {
  fetch(_url, _revision, login) {
    seen = login;
    return login.password === 'right'
      ? repository
      : { error: 'failed to list refs: authentication required' };
  },
};

function round(now = '2026-11-30T08:00:00Z'): void {
  runArgocd(objects, git, now);
}

function release(status: string, version = '1'): void {
  put('secrets', 'v1', 'Secret', `sh.helm.release.v1.argocd.v${version}`, {
    metadata: { labels: { owner: 'helm', name: 'argocd', status, version } },
  });
}

function login(name: string, type: string, values: Readonly<Record<string, string>>): void {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  put('secrets', 'v1', 'Secret', name, {
    metadata: { labels: { 'argocd.argoproj.io/secret-type': type } },
    data: Object.fromEntries(data),
  });
}

function application(name: string, spec: object): ApiObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd' },
    spec: { project: 'default', destination: { namespace: 'argocd' }, ...spec },
  };
}

function put(
  resource: string,
  apiVersion: string,
  kind: string,
  name: string,
  rest: { metadata: object; data?: object },
): void {
  const metadata = { name, namespace: 'argocd', ...rest.metadata };
  objects.put(resource, 'argocd', { apiVersion, kind, ...rest, metadata });
}

function root(): Readonly<Record<string, unknown>> {
  return Object(objects.get(applications, 'argocd', 'root')?.status);
}

function putRoot(spec: object = { source, syncPolicy: { automated } }): void {
  objects.put(applications, 'argocd', application('root', spec));
}

describe('the chart of the Argo CD stand-in', () => {
  test.each(['pending-install', 'failed'])('installs nothing while its release is %s', (status) => {
    release(status);
    round();
    expect(objects.list(crd)).toEqual([]);
  });

  test('installs the CRDs and the controllers, and leaves only the CRDs when it is removed', () => {
    release('deployed');
    round();
    expect(objects.get(crd, undefined, applications)).toBeDefined();
    expect(objects.get('deployments.apps', 'argocd', 'argocd-server')).toBeDefined();
    objects.remove('secrets', 'argocd', 'sh.helm.release.v1.argocd.v1');
    round();
    expect(objects.list('deployments.apps', 'argocd')).toEqual([]);
    expect(objects.get(crd, undefined, applications)).toBeDefined();
  });
});

describe('an Application of the Argo CD stand-in', () => {
  beforeEach(() => {
    release('deployed');
    login('repo', 'repository', { url: repoURL, password: 'right' });
  });

  test('is synced with the login for its URL, and marks what it applied', () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'argocd' } };
    repository = { commit: '4f2e', folders: { 'clusters/a': [config] } };
    putRoot();
    round();
    expect(root()).toMatchObject({
      sync: { status: 'Synced', revision: '4f2e', comparedTo: { source } },
      health: { status: 'Healthy' },
      operationState: { phase: 'Succeeded' },
      history: [{ revision: '4f2e' }],
    });
    expect(objects.get('configmaps', 'argocd', 'a')?.metadata.annotations).toEqual({
      'argocd.argoproj.io/tracking-id': 'root:/ConfigMap:argocd/a',
    });
  });

  test('gets an entry in its history for each revision, and does not change without a new revision', () => {
    putRoot();
    round();
    const before = objects.get(applications, 'argocd', 'root');
    round('2026-11-30T09:00:00Z');
    expect(objects.get(applications, 'argocd', 'root')).toEqual(before);
    repository = { ...repository, commit: '5a3f' };
    round();
    expect(root().history).toMatchObject([{ revision: '4f2e' }, { revision: '5a3f' }]);
  });

  test('keeps its history and reports a ComparisonError once the Git host refuses the login', () => {
    putRoot();
    round();
    login('repo', 'repository', { url: repoURL, password: 'ended' });
    round();
    expect(root()).toMatchObject({
      sync: { status: 'Unknown' },
      conditions: [
        { type: 'ComparisonError', message: expect.stringContaining('desc = failed to list refs: auth') },
      ],
      history: [{ revision: '4f2e' }],
    });
    login('repo', 'repository', { url: repoURL, password: 'right' });
    round();
    expect(root().conditions).toBeUndefined();
  });

  test('reports a path that the repository does not have', () => {
    putRoot({ source: { ...source, path: 'clusters/b' }, syncPolicy: { automated } });
    round();
    expect(root()).toMatchObject({
      conditions: [{ message: expect.stringContaining('clusters/b: app path does not exist') }],
    });
  });

  test('is compared but not synced if it has no automatic sync', () => {
    putRoot({ source });
    round();
    expect(root()).toMatchObject({ sync: { status: 'OutOfSync' } });
    expect(root().history).toBeUndefined();
  });

  test.each([
    ['the same URL in another form', 'repository', 'https://GIT.example/acme/fleet', 'right'],
    ['the prefix of its URL', 'repo-creds', 'https://git.example/acme', 'right'],
    ['another URL', 'repository', 'https://git.example/acme/other', undefined],
  ])('uses or ignores the login of a Secret with %s, as in Argo CD', (_, type, url, password) => {
    objects.remove('secrets', 'argocd', 'repo');
    login('other', type, { url, password: 'right' });
    putRoot();
    round();
    expect(seen?.password).toBe(password);
  });

  test('takes over the controllers of Argo CD if it deploys the chart of Argo CD', () => {
    const chart = { chart: 'argo-cd', targetRevision: '10.1.1' };
    const self = application('argo-cd', { source: chart, syncPolicy: { automated } });
    repository = { commit: '4f2e', folders: { 'clusters/a': [self] } };
    putRoot();
    round();
    round();
    expect(objects.get('deployments.apps', 'argocd', 'argocd-server')?.metadata.annotations).toEqual({
      'argocd.argoproj.io/tracking-id': 'argo-cd:apps/Deployment:argocd/argocd-server',
    });
  });
});

describe('the CRD of the Argo CD stand-in', () => {
  const valid = { source, syncPolicy: { automated, retry: { limit: -1 } } };

  test('accepts an Application with known fields', () => {
    expect(invalidApplication(application('root', valid))).toBeUndefined();
  });

  test.each([
    ['an unknown field', { ...valid, sources: [] }, '.spec.sources: field not declared in schema'],
    [
      'an unknown nested field',
      { ...valid, syncPolicy: { automatic: {} } },
      '.spec.syncPolicy.automatic: field not declared in schema',
    ],
    [
      'a string instead of a number',
      { syncPolicy: { retry: { limit: '5' } } },
      '.spec.syncPolicy.retry.limit: expected',
    ],
    ['a source without a URL', { source: { path: 'a' } }, 'spec.source.repoURL: Required value'],
  ])('refuses %s', (_, spec, words) => {
    expect(invalidApplication(application('root', spec))?.body).toContain(words);
  });
});
