import { beforeEach, describe, expect, test } from 'vitest';
import { type MemoryApi, serveMemoryApi } from '../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { putPod } from '../unit/agent/parts/maintenance/drain/some-pods.ts';

const server = 'https://127.0.0.1:6443';
const pods = '/api/v1/namespaces/default/pods';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  api = serveMemoryApi(host, server, { kubelet: { name: 'system:node:vm-1', groups: ['system:nodes'] } });
  const mounts = (claimName: string) => ({
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
  });
  putPod(api, 'mine', mounts('mine'));
  putPod(api, 'theirs', { ...mounts('theirs'), node: 'vm-2' });
  for (const name of ['mine', 'theirs']) {
    const metadata = { name, namespace: 'default' };
    const spec = { volumeName: `pv-${name}` };
    api.objects.put('persistentvolumeclaims', 'default', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec,
    });
    const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: `pv-${name}` } };
    api.objects.put('persistentvolumes', undefined, volume);
  }
});

async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) {
  const trust = { ca: '', identity: { certificate: 'kubelet', key: Object('') } };
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { 'content-type': 'application/json' };
  const answer = await host.send({ method, url: `${server}${path}`, trust, headers, ...content });
  return { status: answer.status, body: JSON.parse(answer.body) };
}

describe('a kubelet at the API stand-in', () => {
  test.each([
    ['may list the pods of its node', '/api/v1/pods?fieldSelector=spec.nodeName%3Dvm-1', 200],
    ['may not list all pods', '/api/v1/pods', 403],
    ['may not list the pods of another node', '/api/v1/pods?fieldSelector=spec.nodeName%3Dvm-2', 403],
    ['may read its pods', `${pods}/mine`, 200],
    ['may not read the pods of another node', `${pods}/theirs`, 403],
    ['may read the claims of its pods', '/api/v1/namespaces/default/persistentvolumeclaims/mine', 200],
    ['may not read other claims', '/api/v1/namespaces/default/persistentvolumeclaims/theirs', 403],
    ['may read the volumes of its pods', '/api/v1/persistentvolumes/pv-mine', 200],
    ['may not read other volumes', '/api/v1/persistentvolumes/pv-theirs', 403],
    ['may not read DaemonSets', '/apis/apps/v1/namespaces/default/daemonsets/proxy', 403],
    ['may not read disruption budgets', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', 403],
  ])('%s', async (_, path, status) => {
    expect((await ask('GET', path)).status).toBe(status);
  });
});

test('a list of pods is cut into pages, and each page but the last has the token of the next page', async () => {
  putPod(api, 'more');
  const own = '/api/v1/pods?fieldSelector=spec.nodeName%3Dvm-1&limit=1';
  const first = await ask('GET', own);
  expect(first.body.items).toHaveLength(1);
  const second = await ask('GET', `${own}&continue=${first.body.metadata.continue}`);
  expect(second.body.metadata.continue).toBeUndefined();
  expect([...first.body.items, ...second.body.items].map(({ metadata }) => metadata.name)).toEqual([
    'mine',
    'more',
  ]);
});

describe('the API stand-in refuses', () => {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'mine' } };
  const preconditions = { uid: 'x' };
  test.each<[string, object]>([
    [
      'an eviction of another version',
      { ...eviction, apiVersion: 'policy/v1beta1', deleteOptions: { preconditions } },
    ],
    [
      'an eviction with the name of another pod',
      { ...eviction, metadata: { name: 'x' }, deleteOptions: { preconditions } },
    ],
    ['an eviction with an unknown field', { ...eviction, deleteOptions: { preconditions }, force: true }],
    ['an eviction without the uid of the pod', eviction],
  ])('%s', async (_, body) => {
    expect((await ask('POST', `${pods}/mine/eviction`, body)).status).toBe(400);
    expect(api.objects.get('pods', 'default', 'mine')?.metadata.deletionTimestamp).toBeUndefined();
  });
});

test('a pod that does not run is deleted at once, and a running pod within its grace period', async () => {
  putPod(api, 'done', { phase: 'Succeeded' });
  expect((await ask('DELETE', `${pods}/done`)).status).toBeLessThan(300);
  expect(api.objects.get('pods', 'default', 'done')).toBeUndefined();
  await ask('DELETE', `${pods}/mine`);
  expect(api.objects.get('pods', 'default', 'mine')?.metadata).toMatchObject({
    deletionGracePeriodSeconds: 30,
  });
  host.advance(1_000);
  await ask('GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dvm-1');
  expect(api.objects.get('pods', 'default', 'mine')).toBeUndefined();
});
