import { describe, expect, test } from 'vitest';
import type { FluxObject } from '../../../../../src/agent/gitops/flux/flux-objects.ts';
import { fluxSync } from '../../../../../src/agent/gitops/flux/flux-sync.ts';
import type { ResponseAnswer } from '../../../../lab/memory-host.ts';
import { fetchFailed } from '../../../../lab/standins/flux-status.ts';
import { type Api, applied, fetched, hostWith, ready, revision } from './cluster.ts';
import { context } from './settings.ts';

function check(api: Api) {
  return fluxSync(context).check(hostWith(api));
}

function broken(message: string) {
  return applied('./clusters/prod', ready('False', message).status);
}

test('fluxSync needs the bootstrap of Flux', () => {
  expect(fluxSync(context)).toMatchObject({ id: 'Sync/flux-system', needs: ['Bootstrap/flux-system'] });
});

test('fluxSync reports the applied revision, and is checked again after five minutes', async () => {
  const now = Date.UTC(2026, 0, 1);
  expect(await check({ source: fetched, sync: applied() })).toEqual({
    state: 'InSync',
    message: `applied ${revision}`,
    until: now + 300_000,
  });
});

describe('fluxSync of an object that is not ready', () => {
  test.each<readonly [string, Api, string, string]>([
    [
      'the source',
      { source: ready('False', 'authentication required'), sync: applied() },
      'SourceNotReady',
      'authentication required',
    ],
    [
      'a source whose URL has a login',
      { source: ready('False', 'clone of https://git:a@b@example.com/fleet'), sync: applied() },
      'SourceNotReady',
      'clone of https://example.com/fleet',
    ],
    [
      'the Kustomization',
      { source: fetched, sync: broken('kustomize build failed:\n  accumulating resources') },
      'KustomizationNotReady',
      'kustomize build failed: accumulating resources',
    ],
  ])('quotes the message of %s and does not block', async (_, api, reason, message) => {
    const error = await check(api).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason, blocks: false });
    expect(error.message).toContain(message);
  });

  test('reports a failure of the current generation even if observedGeneration is older', async () => {
    for (const observedGeneration of [-1, 1]) {
      const failed = failedAt(2, observedGeneration);
      await expect(check({ source: failed, sync: applied() })).rejects.toMatchObject({
        reason: 'SourceNotReady',
        message: expect.stringContaining('is not Ready: no such branch'),
      });
      await expect(check({ source: fetched, sync: { ...applied(), ...failed } })).rejects.toMatchObject({
        reason: 'KustomizationNotReady',
      });
    }
  });

  test.each([
    ['was never fetched', {}, 'SourceNotReady'],
    ['was fetched before', { observedGeneration: 1 }, 'SourceNotReady'],
  ])('reports a source that %s and fails, as source-controller describes it', async (_, status, reason) => {
    const object = { metadata: { name: 'a', generation: 2 }, spec: {}, status };
    const source: FluxObject = JSON.parse(JSON.stringify(fetchFailed(object, 'no such host')));
    await expect(check({ source, sync: applied() })).rejects.toMatchObject({
      reason,
      message: 'GitRepository flux-system/flux-system is not Ready: no such host',
    });
  });

  test('truncates a long message', async () => {
    const error = await check({ source: fetched, sync: broken('x'.repeat(5_000)) }).catch((thrown) => thrown);
    expect(error.message.length).toBeLessThan(500);
  });
});

/** Returns an object of generation 2 whose condition reports on the generation `told`. */
function failedAt(told: number, observedGeneration: number): FluxObject {
  const condition = { type: 'Ready', status: 'False', message: 'no such branch', observedGeneration: told };
  return { metadata: { generation: 2 }, status: { observedGeneration, conditions: [condition] } };
}

describe('fluxSync before Flux has reported a result', () => {
  const stale = { ...fetched, metadata: { generation: 2 } };
  test.each<readonly [string, Api, string]>([
    ['an object has no condition', { source: {}, sync: applied() }, 'SourceNotReady'],
    ['the condition is unknown', { source: ready('Unknown', 'cloning'), sync: applied() }, 'SourceNotReady'],
    ['the status is about an older generation', { source: stale, sync: applied() }, 'SourceNotReady'],
    [
      'the condition is about an older generation',
      { source: failedAt(1, 2), sync: applied() },
      'SourceNotReady',
    ],
    ['the source is missing', { sync: applied() }, 'SourceNotReady'],
    ['the Kustomization is missing', { source: fetched }, 'KustomizationNotReady'],
    [
      'the Kustomization is suspended',
      { source: fetched, sync: { ...applied(), spec: { suspend: true } } },
      'KustomizationNotReady',
    ],
  ])('waits if %s', async (_, api, reason) => {
    expect(await check(api)).toMatchObject({ state: 'Waiting', reason });
  });
});

describe('fluxSync while a controller is not ready', () => {
  const controllers = { 'source-controller': undefined, 'kustomize-controller': 0, 'helm-controller': 1 };
  const pending = { source: {}, sync: {}, controllers };

  test('names the controllers that are not ready instead of the objects that wait for them', async () => {
    expect(await check(pending)).toMatchObject({
      state: 'Waiting',
      reason: 'ControllerNotReady',
      blocks: false,
      message: expect.stringContaining('kustomize-controller, source-controller are not ready'),
    });
  });

  test('names a single controller that is not ready', async () => {
    expect(await check({ ...pending, controllers: { 'source-controller': 0 } })).toMatchObject({
      message: expect.stringMatching(/^source-controller is not ready.* describe pods names the cause\.$/),
    });
  });

  test('ignores controllers if the objects are ready or have failed', async () => {
    expect(await check({ source: fetched, sync: applied(), controllers })).toMatchObject({ state: 'InSync' });
    const failed = check({ source: ready('False', 'no such branch'), sync: applied(), controllers });
    await expect(failed).rejects.toMatchObject({ reason: 'SourceNotReady' });
  });

  test.each<[string, ResponseAnswer]>([
    ['answers with text', 'not JSON'],
    ['answers with something else', '{}'],
    ['refuses to list them', { status: 403 }],
  ])('ignores the Deployments if the API %s', async (_, answer) => {
    const list = /\/apis\/apps\/v1\/namespaces\/flux-system\/deployments\?limit=50$/;
    const host = hostWith(pending).onGet(list, answer);
    expect(await fluxSync(context).check(host)).toMatchObject({ reason: 'SourceNotReady' });
  });
});
