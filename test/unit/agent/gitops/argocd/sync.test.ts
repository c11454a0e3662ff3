import { beforeEach, describe, expect, test } from 'vitest';
import { rootSync } from '../../../../../src/agent/gitops/argocd/sync.ts';
import type { MemoryApi } from '../../../../lab/memory-api.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { context } from '../flux/settings.ts';
import { clusterHost, putRoot, synced, withCrds } from './cluster.ts';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  ({ host, api } = clusterHost());
  withCrds(api);
});

function check(status?: object, spec: object = {}) {
  if (status !== undefined) {
    putRoot(api, status, {}, spec);
  }
  return rootSync(context).check(host);
}

test('rootSync needs the root Application', () => {
  expect(rootSync(context)).toMatchObject({ id: 'Sync/root', needs: ['Bootstrap/root'] });
});

test('rootSync reports the synced revision, and is checked again after five minutes', async () => {
  expect(await check(synced)).toEqual({
    state: 'InSync',
    message: 'synced 4f2e',
    until: host.now() + 300_000,
  });
});

test('rootSync quotes a warning of a synced Application', async () => {
  const conditions = [{ type: 'SharedResourceWarning', message: 'ConfigMap/a is part of two applications' }];
  expect(await check({ ...synced, conditions })).toMatchObject({
    state: 'InSync',
    message: 'synced 4f2e; SharedResourceWarning: ConfigMap/a is part of two applications',
  });
});

test('rootSync accepts a comparison from which Argo CD omitted an empty field', async () => {
  const comparedTo = { source: { repoURL: 'https://github.com/acme/fleet.git', path: 'clusters/prod' } };
  putRoot(api, { ...synced, sync: { ...synced.sync, comparedTo } }, { targetRevision: '' });
  expect(await check()).toMatchObject({ state: 'InSync' });
});

test('rootSync waits while the root Application is deleted, although its status says Synced', async () => {
  putRoot(api, synced);
  const root = api.objects.get('applications.argoproj.io', 'argocd', 'root');
  const metadata = { name: 'root', namespace: 'argocd', deletionTimestamp: '2026-01-01T00:00:00Z' };
  api.objects.put('applications.argoproj.io', 'argocd', { ...root, metadata } as never);
  expect(await check()).toMatchObject({
    ...{ state: 'Waiting', reason: 'ApplicationNotSynced' },
    message: expect.stringContaining('is being deleted'),
  });
});

test.each([
  'failed to list refs of https://canary@github.com/acme/fleet.git',
  'Get "https://git:canary@github.com/acme/fleet.git/info/refs?t=canary": EOF',
])('rootSync quotes "%s" without the login', async (message) => {
  const conditions = [{ type: 'ComparisonError', message }];
  const error = await check({ ...synced, conditions }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: expect.stringContaining('github.com/acme/fleet.git') });
  expect(String(error)).not.toContain('canary');
});

describe('rootSync throws the words of Argo CD, and does not block', () => {
  const unhealthy = { sync: synced.sync, history: synced.history };
  test.each<readonly [string, object, string, string]>([
    [
      'a login that the Git host refuses',
      {
        sync: { status: 'Unknown' },
        conditions: [{ type: 'ComparisonError', message: 'failed to list refs: authentication required' }],
      },
      'ApplicationNotSynced',
      'ComparisonError: failed to list refs: authentication required',
    ],
    [
      'an error of the repository after a sync',
      { ...synced, conditions: [{ type: 'ComparisonError', message: 'app path does not exist' }] },
      'ApplicationNotSynced',
      'app path does not exist',
    ],
    [
      'a failed sync',
      {
        sync: { status: 'OutOfSync' },
        operationState: { phase: 'Failed', message: 'one or more objects\n failed to apply' },
      },
      'ApplicationNotSynced',
      'the last sync failed: one or more objects failed to apply',
    ],
    [
      'a degraded object, if Argo CD names it',
      {
        ...unhealthy,
        health: { status: 'Degraded' },
        resources: [
          {
            kind: 'Deployment',
            namespace: 'web',
            name: 'a',
            health: { status: 'Degraded', message: 'no pods' },
          },
          { kind: 'ConfigMap', namespace: 'web', name: 'b' },
        ],
      },
      'ApplicationNotHealthy',
      'Degraded: Deployment web/a no pods',
    ],
    ['a missing object', { ...unhealthy, health: { status: 'Missing' } }, 'ApplicationNotHealthy', 'Missing'],
  ])('about %s', async (_, status, reason, words) => {
    const error = await check(status).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason, blocks: false, endedBy: 'time' });
    expect(error.message).toContain(words);
  });

  test('and truncates long ones', async () => {
    const conditions = [{ type: 'SyncError', message: 'x'.repeat(5_000) }];
    const error = await check({ conditions }).catch((thrown) => thrown);
    expect(error.message.length).toBeLessThan(500);
  });
});

describe('rootSync waits without blocking', () => {
  const other = { ...synced.sync, comparedTo: { source: { path: 'clusters/before' } } };
  test.each<readonly [string, object, string, string]>([
    ['before the first comparison', {}, 'ApplicationNotSynced', 'not compared yet'],
    ['for a comparison with another source', { ...synced, sync: other }, 'ApplicationNotSynced', 'changed'],
    [
      'during a sync',
      { sync: { status: 'OutOfSync' }, operationState: { phase: 'Running', message: 'one task is running' } },
      'ApplicationNotSynced',
      'one task is running',
    ],
    ['between comparison and sync', { sync: { status: 'OutOfSync' } }, 'ApplicationNotSynced', 'OutOfSync'],
    [
      'during a roll-out',
      { ...synced, health: { status: 'Progressing', message: 'rolling out' } },
      'ApplicationNotHealthy',
      'Progressing: rolling out',
    ],
    [
      'for a suspended object',
      { ...synced, health: { status: 'Suspended' } },
      'ApplicationNotHealthy',
      'Suspended',
    ],
    ['before the first judgement', { sync: synced.sync }, 'ApplicationNotHealthy', 'not judged yet'],
  ])('%s', async (_, status, reason, words) => {
    expect(await check(status)).toMatchObject({
      state: 'Waiting',
      reason,
      blocks: false,
      message: expect.stringContaining(words),
    });
  });

  test.each([
    ['absent', {}],
    ['disabled', { automated: { enabled: false } }],
  ])('for a person while the automatic sync is %s', async (_, syncPolicy) => {
    expect(await check({ sync: { status: 'OutOfSync' } }, { syncPolicy })).toMatchObject({
      state: 'Waiting',
      message: expect.stringContaining('its automatic sync is off'),
    });
  });

  test('if the root Application is gone', async () => {
    expect(await check()).toMatchObject({ state: 'Waiting', reason: 'ApplicationNotSynced' });
  });
});
