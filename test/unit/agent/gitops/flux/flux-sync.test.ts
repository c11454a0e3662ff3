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

  test('truncates a long message', async () => {
    const error = await check({ source: fetched, sync: broken('x'.repeat(5_000)) }).catch((thrown) => thrown);
    expect(error.message.length).toBeLessThan(500);
  });
});

describe('fluxSync without a verdict of Flux', () => {
  const stale = { ...fetched, metadata: { generation: 2 } };
  test.each<readonly [string, Api, string]>([
    ['an object has no condition', { source: {}, sync: applied() }, 'SourceNotReady'],
    ['the condition is unknown', { source: ready('Unknown', 'cloning'), sync: applied() }, 'SourceNotReady'],
    ['the condition is about an older generation', { source: stale, sync: applied() }, 'SourceNotReady'],
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
