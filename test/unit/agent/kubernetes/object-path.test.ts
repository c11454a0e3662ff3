import { expect, test } from 'vitest';
import { listPath, objectPath } from '../../../../src/agent/kubernetes/object-path.ts';

test.each([
  [{ apiVersion: 'v1', resource: 'nodes', name: 'vm-1' }, '/api/v1/nodes/vm-1'],
  [
    { apiVersion: 'v1', resource: 'secrets', namespace: 'argocd', name: 'repo' },
    '/api/v1/namespaces/argocd/secrets/repo',
  ],
  [
    { apiVersion: 'helm.cattle.io/v1', resource: 'helmcharts', namespace: 'kube-system', name: 'a/b' },
    '/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts/a%2Fb',
  ],
])('objectPath(%j) is %s', (name, path) => {
  expect(objectPath(name)).toBe(path);
});

test('listPath selects a namespace and labels', () => {
  const kind = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system' };
  expect(listPath(kind)).toBe('/api/v1/namespaces/kube-system/secrets');
  expect(listPath(kind, { owner: 'helm', name: 'traefik' })).toBe(
    '/api/v1/namespaces/kube-system/secrets?labelSelector=owner%3Dhelm%2Cname%3Dtraefik',
  );
});
