import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import type { Finding } from '../../../../../src/agent/engine/resource.ts';
import { fluxBootstrap } from '../../../../../src/agent/gitops/flux/flux-bootstrap.ts';
import { runBootstrap } from '../../../../../src/agent/gitops/flux/flux-run.ts';
import type { FluxSettings } from '../../../../../src/agent/gitops/flux/settings.ts';
import type { ResponseAnswer } from '../../../../lab/memory-host.ts';
import { type Api, applied, fetched, hostWith, ready, revision, urls } from './cluster.ts';
import { context, fluxSettings, fluxSpec } from './settings.ts';

function resource(settings: FluxSettings = fluxSettings()) {
  return fluxBootstrap(fluxSpec({ settings }), context);
}

function check(api: Api, settings = fluxSettings()): Promise<Finding> {
  return resource(settings).check(hostWith(api));
}

test('fluxBootstrap needs the executable and a Ready node, and summarises its change', () => {
  expect(resource()).toMatchObject({
    id: 'Bootstrap/flux-system',
    condition: 'GitOps',
    needs: ['Executable/flux', 'NodeReady/server-1'],
    summary: 'bootstrap Flux from github.com/acme/platform, branch main, path ./clusters/prod',
  });
});

describe('the check of fluxBootstrap', () => {
  const neverApplied = { spec: { path: './clusters/prod' }, status: {} };

  test.each<readonly [string, Api]>([
    ['there are no objects', {}],
    ['the CRDs are missing', { crds: false }],
    ['only the source exists', { source: fetched }],
  ])('reports drift if %s', async (_, api) => {
    const finding = await check(api);
    expect(finding).toMatchObject({
      state: 'Drifted',
      drift: { changes: [{ field: 'bootstrapped', observed: 'false', desired: 'true' }] },
    });
  });

  test.each<readonly [string, Api]>([
    ['has applied no revision yet', { source: fetched, sync: neverApplied }],
    ['has no status', { source: fetched, sync: { spec: { path: './clusters/prod' } } }],
    ['has no source', { sync: neverApplied }],
    ['is suspended', { sync: { spec: { path: './clusters/prod', suspend: true } } }],
  ])('never reports drift for a Kustomization that %s', async (_, api) => {
    expect(await check(api)).toEqual({ state: 'InSync', message: 'bootstrapped at ./clusters/prod' });
  });

  test.each<readonly [string, Api]>([
    ['all objects exist', { source: fetched, sync: applied() }],
    [
      'the path of the Kustomization has a trailing slash',
      { source: fetched, sync: applied('./clusters/prod/') },
    ],
    [
      'a later commit is broken',
      { source: fetched, sync: applied('clusters/prod', ready('False', 'no').status) },
    ],
    ['the source is not Ready', { source: ready('False', 'authentication required'), sync: applied() }],
  ])('reports no drift if %s', async (_, api) => {
    expect(await check(api)).toEqual({
      state: 'InSync',
      message: `bootstrapped at ./clusters/prod, applied ${revision}`,
    });
  });

  test('throws KubernetesTooOld before a bootstrap, but not after it', async () => {
    const old = { k3s: 'v1.32.13+k3s1' };
    await expect(check(old)).rejects.toMatchObject({ reason: 'KubernetesTooOld' });
    expect(await check({ ...old, source: fetched, sync: applied() })).toMatchObject({ state: 'InSync' });
  });

  test('reports non-blocking drift while temporary files of a bootstrap remain', async () => {
    const host = hostWith({ source: fetched, sync: applied() });
    host.files.write(`${context.scratch}/README`, '');
    const changes = [{ field: 'temporary files', observed: context.scratch, desired: undefined }];
    expect(await resource().check(host)).toMatchObject({
      state: 'Drifted',
      drift: { changes, blocks: false },
    });
  });

  test.each<readonly [string, Api, boolean]>([
    ['blocks the check of the sync while no Kustomization exists', {}, true],
    [
      'does not block the check of the sync once a Kustomization exists',
      { source: fetched, sync: neverApplied },
      false,
    ],
  ])('waits for a running bootstrap, and %s', async (_, api, blocks) => {
    const host = hostWith({}).on({ file: 'flux' }, '');
    await runBootstrap(host, fluxSpec(), context).catch(() => {});
    const objects = hostWith(api);
    const { job } = host;
    const finding = await resource().check(Object.assign(objects, { job: job.bind(host) }));
    expect(finding).toMatchObject({ state: 'Waiting', reason: 'InProgress', blocks, isJob: true });
  });

  test('does not wait for a bootstrap that runs with other settings', async () => {
    const host = hostWith({}).on({ file: 'flux' }, '');
    const other = fluxSettings({ branch: 'next' });
    await runBootstrap(host, fluxSpec({ settings: other }), context).catch(() => {});
    expect(await resource().check(host)).toMatchObject({ state: 'Drifted' });
  });

  test('throws BootstrapPathDiffers for a different path, and names the setting to correct', async () => {
    const error = await check({ source: fetched, sync: applied('./clusters/test') }).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ reason: 'BootstrapPathDiffers', endedBy: 'person' });
    expect(error.message).toContain('Set gitops.flux.path to ./clusters/test');
  });

  test.each<[string, ResponseAnswer, string]>([
    ['refuses connections', new NodeError('Unreachable', 'connect ECONNREFUSED'), 'connect ECONNREFUSED'],
    ['is not ready', { status: 503, body: '{"kind":"Status","message":"starting"}' }, 'It says: starting.'],
  ])('throws ApiUnavailable if the API %s', async (_, answer, said) => {
    const error = await resource()
      .check(hostWith({}).onGet(urls.source, answer))
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: 'ApiUnavailable', endedBy: 'time' });
    expect(error.message).toContain(said);
  });

  test('throws ApiUnavailable before the first start of K3s', async () => {
    const host = hostWith({ sync: applied() });
    host.files.remove(context.kubeconfig);
    await expect(resource().check(host)).rejects.toMatchObject({
      reason: 'ApiUnavailable',
      message: expect.stringContaining(`${context.kubeconfig} does not exist yet`),
    });
  });

  test.each([
    ['text', 'Usage: k3s', 'it is not JSON'],
    ['another kind of path', '{"spec":{"path":7}}', 'spec.path is missing or of another kind'],
  ])('throws UnexpectedAnswer if the API answers with %s', async (_, answer, fault) => {
    const host = hostWith({ source: fetched }).onGet(urls.sync, answer);
    const message = expect.stringContaining(`something else: ${fault}. It is asked again.`);
    await expect(resource().check(host)).rejects.toMatchObject({ reason: 'UnexpectedAnswer', message });
  });
});
