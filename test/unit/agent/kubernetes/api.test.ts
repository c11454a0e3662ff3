import { beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { askingOnce } from '../../../../src/agent/engine/asking-once.ts';
import { Secret, sensitive } from '../../../../src/agent/engine/secret.ts';
import {
  applyObject,
  createObject,
  deleteObject,
  patchObject,
  readApi,
  replaceObject,
  sendApi,
} from '../../../../src/agent/kubernetes/api.ts';
import { readList } from '../../../../src/agent/kubernetes/lists.ts';
import { listPath, objectPath } from '../../../../src/agent/kubernetes/object-path.ts';
import { type MemoryApi, serveMemoryApi } from '../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../lab/memory-host.ts';
import { updatedBy } from '../../../lab/standins/k3s-apply.ts';

const server = 'https://127.0.0.1:6443';
const access = {
  server,
  trust: { ca: 'the CA', identity: { certificate: 'of the admin', key: new Secret('the key') } },
};
const secret = { apiVersion: 'v1', resource: 'secrets', namespace: 'argocd', name: 'repo' };
const path = objectPath(secret);
const anything = z.looseObject({});

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  api = serveMemoryApi(host, server, {
    'of the admin': { name: 'system:admin', groups: ['system:masters'] },
    'of kubelet': { name: 'system:node:vm-1', groups: ['system:nodes'] },
  });
  api.objects.put('namespaces', undefined, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'argocd' },
  });
});

/** Returns the JSON that Slipway applies for a Kubernetes Secret with these values. */
function repo(data: Readonly<Record<string, string>>, annotations = {}): Secret {
  const base64 = (text: string) => new Secret(Buffer.from(text).toString('base64'));
  return sensitive((show) => {
    const shown = Object.entries(data).map(([key, value]) => [key, show(base64(value))]);
    const metadata = { name: 'repo', namespace: 'argocd', annotations };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'Opaque',
      data: Object.fromEntries(shown),
    });
  });
}

function stored() {
  const object = api.objects.get('secrets', 'argocd', 'repo');
  const values = Object.entries<string>(Object(object?.data));
  return Object.fromEntries(values.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

describe('readApi', () => {
  test.each([
    ['a missing object', path],
    [
      'an object of a kind that does not exist',
      '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/root',
    ],
  ])('returns undefined for %s', async (_, missing) => {
    expect(await readApi(host, access, missing, anything)).toBeUndefined();
  });

  test('returns no values of a Secret if only the object metadata is requested', async () => {
    await applyObject(host, access, path, repo({ password: 'geheim' }, { 'slipway.dev/digest': 'abc' }));
    const found = await readApi(host, access, path, anything, 'objectMetadata');
    expect(found).toMatchObject({ metadata: { annotations: { 'slipway.dev/digest': 'abc' } } });
    expect(found).not.toHaveProperty('data');
  });

  test('reports an answer that does not match the schema as UnexpectedAnswer', async () => {
    await applyObject(host, access, path, repo({ password: 'geheim' }));
    const wrong = z.object({ type: z.number() });
    await expect(readApi(host, access, path, wrong)).rejects.toMatchObject({
      reason: 'UnexpectedAnswer',
      message: expect.not.stringContaining('Opaque'),
    });
  });
});

describe('readList', () => {
  const secrets = { apiVersion: 'v1', resource: 'secrets', namespace: 'argocd' };

  test('returns only the objects that have all the requested labels', async () => {
    const release = (name: string, labels: object) =>
      api.objects.put('secrets', 'argocd', { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels } });
    release('one', { owner: 'helm', status: 'deployed' });
    release('two', { owner: 'helm', status: 'failed' });
    const failed = listPath(secrets, { owner: 'helm', status: 'failed' });
    const found = await readList(host, access, failed, anything, 'listMetadata');
    expect(found).toEqual([expect.objectContaining({ metadata: expect.objectContaining({ name: 'two' }) })]);
  });

  test.each(['whole', 'listMetadata'] as const)('returns an empty list in the form %s', async (form) => {
    expect(await readList(host, access, listPath(secrets), anything, form)).toEqual([]);
  });

  test('returns all pages of a list, even with labels', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `secret-${String(index).padStart(3, '0')}`);
    for (const name of names) {
      const metadata = { name, labels: { of: 'many' } };
      api.objects.put('secrets', 'argocd', { apiVersion: 'v1', kind: 'Secret', metadata });
    }
    const named = z.object({ metadata: z.object({ name: z.string() }) });
    for (const labels of [{}, { of: 'many' }]) {
      const found = await readList(host, access, listPath(secrets, labels), named, 'listMetadata');
      expect(found.map(({ metadata: { name } }) => name)).toEqual(names);
    }
  });

  test('names the list whose item has another form', async () => {
    api.objects.put('secrets', 'argocd', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } });
    const other = z.object({ spec: z.string() });
    await expect(readList(host, access, listPath(secrets), other)).rejects.toMatchObject({
      reason: 'UnexpectedAnswer',
      message: expect.stringMatching(/namespaces\/argocd\/secrets with something else: spec is missing/),
    });
  });

  test('returns an empty list for a kind that does not exist', async () => {
    const path = listPath({ apiVersion: 'argoproj.io/v1alpha1', resource: 'applications' });
    expect(await readList(host, access, path, anything)).toEqual([]);
  });
});

describe('applyObject', () => {
  test('creates an object, changes it, and removes a field that is no longer applied', async () => {
    await applyObject(host, access, path, repo({ username: 'git', password: 'one' }));
    expect(stored()).toEqual({ username: 'git', password: 'one' });
    await applyObject(host, access, path, repo({ password: 'two' }));
    expect(stored()).toEqual({ password: 'two' });
  });

  test('keeps the fields of other managers', async () => {
    put('external-secrets', { token: 'theirs' });
    await applyObject(host, access, path, repo({ password: 'ours' }));
    expect(stored()).toEqual({ token: 'theirs', password: 'ours' });
  });

  test('reports a field that another manager owns as ApiConflict, and takes it over only with force', async () => {
    put('external-secrets', { password: 'theirs' });
    await expect(applyObject(host, access, path, repo({ password: 'ours' }))).rejects.toMatchObject({
      reason: 'ApiConflict',
      message: expect.stringContaining('conflict with "external-secrets" using v1: .data.password'),
    });
    expect(stored()).toEqual({ password: 'theirs' });
    await applyObject(host, access, path, repo({ password: 'ours' }), { force: true });
    expect(stored()).toEqual({ password: 'ours' });
  });

  test('reports no conflict about a field that already has the wanted value', async () => {
    put('external-secrets', { password: 'same' });
    await applyObject(host, access, path, repo({ password: 'same' }));
    expect(stored()).toEqual({ password: 'same' });
  });

  test('quotes the reason that the API gives for rejecting an object, but no values of the object', async () => {
    api.objects.remove('namespaces', undefined, 'argocd');
    await expect(applyObject(host, access, path, repo({ password: 'geheim' }))).rejects.toMatchObject({
      reason: 'ApiRejected',
      message: `The Kubernetes API refuses to apply ${path}. It says: namespaces "argocd" not found.`,
    });
    expect(JSON.stringify(host.journal)).not.toContain(Buffer.from('geheim').toString('base64'));
  });

  function put(manager: string, data: Readonly<Record<string, string>>) {
    const object = JSON.parse(repo(data).reveal());
    api.objects.put('secrets', 'argocd', updatedBy(manager, undefined, object));
  }
});

describe('patchObject', () => {
  const node = objectPath({ apiVersion: 'v1', resource: 'nodes', name: 'vm-1' });
  const kubelet = {
    server,
    trust: { ca: 'the CA', identity: { certificate: 'of kubelet', key: new Secret('the key') } },
  };
  const annotations = () => Object(api.objects.get('nodes', undefined, 'vm-1')?.metadata.annotations);

  beforeEach(() => {
    for (const name of ['vm-1', 'vm-2']) {
      const metadata = { name, annotations: { 'a.b/c': 'theirs' }, labels: {} };
      const spec = { taints: [{ key: 'gpu', effect: 'NoSchedule' }] };
      api.objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata, spec });
    }
  });

  test('adds, changes and removes fields, and keeps the others', async () => {
    await patchObject(host, kubelet, node, { metadata: { annotations: { 'slipway.dev/hold': 'yes' } } });
    expect(annotations()).toEqual({ 'a.b/c': 'theirs', 'slipway.dev/hold': 'yes' });
    await patchObject(host, kubelet, node, { metadata: { annotations: { 'slipway.dev/hold': null } } });
    expect(annotations()).toEqual({ 'a.b/c': 'theirs' });
  });

  test('with a stale resourceVersion changes nothing, and throws ApiConflict', async () => {
    const seen = api.objects.get('nodes', undefined, 'vm-1')?.metadata.resourceVersion;
    const patch = (value: string) =>
      patchObject(host, kubelet, node, {
        metadata: { resourceVersion: seen, annotations: { 'slipway.dev/turn': value } },
      });
    await patch('first');
    await expect(patch('second')).rejects.toMatchObject({
      reason: 'ApiConflict',
      message: expect.stringContaining('the object has been modified'),
    });
    expect(annotations()).toMatchObject({ 'slipway.dev/turn': 'first' });
  });

  test('with the resourceVersion of a deleted object throws ApiConflict, even if the new object is the same', async () => {
    const { uid: _, ...metadata } = Object(api.objects.get('nodes', undefined, 'vm-1')?.metadata);
    api.objects.remove('nodes', undefined, 'vm-1');
    const before = { ...metadata, resourceVersion: undefined };
    api.objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata: before });
    const patch = { metadata: { resourceVersion: metadata.resourceVersion, annotations: {} } };
    await expect(patchObject(host, kubelet, node, patch)).rejects.toMatchObject({ reason: 'ApiConflict' });
  });

  test('reports a missing object as ApiRejected', async () => {
    const absent = objectPath({ apiVersion: 'v1', resource: 'nodes', name: 'absent' });
    await expect(patchObject(host, access, absent, { metadata: {} })).rejects.toMatchObject({
      reason: 'ApiRejected',
      message: expect.stringContaining('nodes "absent" not found'),
    });
  });

  test('lets a kubelet cordon its own Node', async () => {
    await patchObject(host, kubelet, node, { spec: { unschedulable: true } });
    expect(api.objects.get('nodes', undefined, 'vm-1')).toMatchObject({
      spec: { unschedulable: true, taints: [{ key: 'gpu' }] },
    });
  });

  test.each([
    ['taints', node, { spec: { taints: [] } }, 'not allowed to modify taints'],
    ['labels', node, { metadata: { labels: { 'node-role.kubernetes.io/control-plane': 'true' } } }, 'labels'],
    ['another Node', node.replace('vm-1', 'vm-2'), { spec: { unschedulable: true } }, 'modify node "vm-2"'],
    [
      'a Lease that nodes share',
      '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/slipway-turns',
      { spec: {} },
      'can only access leases in the "kube-node-lease" system namespace',
    ],
  ])('does not let a kubelet change %s', async (_, path, patch, message) => {
    await expect(patchObject(host, kubelet, path, patch)).rejects.toMatchObject({
      reason: 'ApiForbidden',
      message: expect.stringContaining(message),
    });
  });
});

describe('a Lease', () => {
  const kind = { apiVersion: 'coordination.k8s.io/v1', resource: 'leases', namespace: 'argocd' };
  const name = 'turns';
  const lease = (holderIdentity: string) => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'argocd' },
    spec: { holderIdentity, leaseDurationSeconds: 60 },
  });
  const stored = () => Object(api.objects.get('leases.coordination.k8s.io', 'argocd', name));
  const at = objectPath({ ...kind, name });

  test('is created once', async () => {
    await createObject(host, access, listPath(kind), lease('one'));
    await expect(createObject(host, access, listPath(kind), lease('two'))).rejects.toMatchObject({
      reason: 'ApiConflict',
      message: expect.stringContaining('already exists'),
    });
    expect(stored().spec.holderIdentity).toBe('one');
  });

  test('is replaced only by a holder that has seen its newest version', async () => {
    await createObject(host, access, listPath(kind), lease('one'));
    const { uid, resourceVersion } = stored().metadata;
    const take = (holder: string) => {
      const wish = lease(holder);
      const metadata = { ...wish.metadata, uid, resourceVersion };
      return replaceObject(host, access, at, { ...wish, metadata });
    };
    await take('two');
    await expect(take('three')).rejects.toMatchObject({ reason: 'ApiConflict' });
    expect(stored().spec.holderIdentity).toBe('two');
  });

  test('that was deleted is neither replaced nor created again', async () => {
    await createObject(host, access, listPath(kind), lease('one'));
    const { uid, resourceVersion } = stored().metadata;
    const take = () => {
      const wish = lease('two');
      const metadata = { ...wish.metadata, uid, resourceVersion };
      return replaceObject(host, access, at, { ...wish, metadata });
    };
    await deleteObject(host, access, at);
    await expect(take()).rejects.toMatchObject({ reason: 'ApiConflict' });
    expect(api.objects.get('leases.coordination.k8s.io', 'argocd', name)).toBeUndefined();
    await createObject(host, access, listPath(kind), lease('one'));
    await expect(take()).rejects.toMatchObject({ reason: 'ApiConflict' });
    expect(stored().spec.holderIdentity).toBe('one');
  });
});

test('createObject lets the API complete a generated name', async () => {
  const maps = { apiVersion: 'v1', resource: 'configmaps', namespace: 'argocd' };
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'note-' } };
  await createObject(host, access, listPath(maps), map);
  await createObject(host, access, listPath(maps), map);
  const names = api.objects.list('configmaps', 'argocd').map(({ metadata }) => metadata.name);
  expect(names).toEqual([expect.stringMatching(/^note-\w{5}$/), expect.stringMatching(/^note-\w{5}$/)]);
});

describe('sendApi', () => {
  test('returns the answer of the API, whatever its status', async () => {
    const request = { method: 'GET', path } as const;
    expect(await sendApi(host, access, request)).toMatchObject({ status: 404 });
  });

  test('sends JSON, unless the request names another format', async () => {
    const sent: unknown[] = [];
    host.onRequest({ url: `${server}/x` }, (request) => {
      sent.push(request.headers?.['content-type']);
      return '{}';
    });
    await sendApi(host, access, { method: 'POST', path: '/x', body: '{}' });
    await sendApi(host, access, { method: 'POST', path: '/x', body: '{}', contentType: 'text/plain' });
    expect(sent).toEqual(['application/json', 'text/plain']);
  });

  test('throws ApiUnavailable if no answer arrives', async () => {
    api.isUp = () => false;
    await expect(sendApi(host, access, { method: 'GET', path })).rejects.toMatchObject({
      reason: 'ApiUnavailable',
    });
  });
});

test('deleteObject deletes an object, and does nothing if the object is missing', async () => {
  await applyObject(host, access, path, repo({ password: 'one' }));
  await deleteObject(host, access, path);
  expect(api.objects.get('secrets', 'argocd', 'repo')).toBeUndefined();
  await deleteObject(host, access, path);
});

describe('an API', () => {
  test('that does not answer is reported as ApiUnavailable', async () => {
    api.isUp = () => false;
    await expect(readApi(host, access, path, anything)).rejects.toMatchObject({
      reason: 'ApiUnavailable',
      message: expect.stringContaining(server),
    });
  });

  test.each([
    ['does not know the certificate', 'of another cluster', 'does not accept the certificate of this node'],
    ['does not allow the request', 'of kubelet', 'does not allow this node to read'],
  ])('that %s is reported as ApiForbidden', async (_, certificate, said) => {
    const identity = { certificate, key: new Secret('the key') };
    const refused = { server, trust: { ca: 'the CA', identity } };
    await expect(readApi(host, refused, path, anything)).rejects.toMatchObject({
      reason: 'ApiForbidden',
      message: expect.stringContaining(said),
    });
  });

  test('that is overloaded is reported as ApiUnavailable, and gets the next request after its Retry-After', async () => {
    host.onRequest({ url: `${server}${path}` }, { status: 429, headers: { 'retry-after': '7' }, body: '' });
    await expect(readApi(host, access, path, anything)).rejects.toMatchObject({
      reason: 'ApiUnavailable',
      retry: { after: 7_000 },
    });
  });
});

test('an answer that a pass already has is parsed once for each schema', async () => {
  const named = z.object({ metadata: z.object({ name: z.string() }) });
  api.objects.put('secrets', 'argocd', JSON.parse(repo({}).reveal()));
  const pass = askingOnce(host);
  const list = listPath({ apiVersion: 'v1', resource: 'secrets', namespace: 'argocd' });
  const read = async () => [
    await readApi(pass, access, path, named),
    ...(await readList(pass, access, list, named)),
  ];
  const [first, second] = [await read(), await read()];
  expect(first).toHaveLength(2);
  expect(second.every((each, index) => each === first[index])).toBe(true);
  expect(await readApi(pass, access, path, anything)).toMatchObject({ kind: 'Secret' });
  api.objects.put('secrets', 'argocd', JSON.parse(repo({}, { changed: 'yes' }).reveal()));
  expect((await read())[0]).toBe(first[0]);
  pass.forget();
  expect((await read())[0]).not.toBe(first[0]);
});
