import { describe, expect, test } from 'vitest';
import { fluxSync } from '../../../../../src/agent/gitops/flux/flux-sync.ts';
import { type Api, applied, fetched, hostWith, ready, revision } from './kubectl.ts';
import { context } from './settings.ts';

function check(api: Api) {
  return fluxSync(context).check(hostWith(api));
}

function broken(message: string) {
  return applied('./clusters/prod', ready('False', message).status);
}

test('the sync is checked only once Flux is bootstrapped', () => {
  expect(fluxSync(context)).toMatchObject({ id: 'Sync/flux-system', needs: ['Bootstrap/flux-system'] });
});

test('a ready sync names the revision, and is checked again', async () => {
  const now = Date.UTC(2026, 0, 1);
  expect(await check({ source: fetched, sync: applied() })).toEqual({
    state: 'InSync',
    message: `applied ${revision}`,
    until: now + 300_000,
  });
});

describe('a sync that is not ready quotes Flux and does not block', () => {
  test.each<readonly [string, Api, string, string]>([
    [
      'the source',
      { source: ready('False', 'authentication required'), sync: applied() },
      'SourceNotReady',
      'authentication required',
    ],
    [
      'the Kustomization',
      { source: fetched, sync: broken('kustomize build failed:\n  accumulating resources') },
      'KustomizationNotReady',
      'kustomize build failed: accumulating resources',
    ],
  ])('%s', async (_, api, reason, message) => {
    const error = await check(api).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason, blocks: false });
    expect(error.message).toContain(message);
  });

  test('a long message is truncated', async () => {
    const error = await check({ source: fetched, sync: broken('x'.repeat(5_000)) }).catch((thrown) => thrown);
    expect(error.message.length).toBeLessThan(500);
  });
});

describe('a sync without a verdict is waited for', () => {
  const stale = { ...fetched, metadata: { generation: 2 } };
  test.each<readonly [string, Api, string]>([
    ['no condition', { source: {}, sync: applied() }, 'SourceNotReady'],
    ['unknown', { source: ready('Unknown', 'cloning'), sync: applied() }, 'SourceNotReady'],
    ['about an older generation', { source: stale, sync: applied() }, 'SourceNotReady'],
    ['gone meanwhile', { source: fetched }, 'KustomizationNotReady'],
    [
      'suspended',
      { source: fetched, sync: { ...applied(), spec: { suspend: true } } },
      'KustomizationNotReady',
    ],
  ])('%s', async (_, api, reason) => {
    expect(await check(api)).toMatchObject({ state: 'Waiting', reason });
  });
});
