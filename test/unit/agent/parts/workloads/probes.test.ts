import { expect, test } from 'vitest';
import { examine } from '../../../../../src/agent/doctor/probe.ts';
import { chartProbes } from '../../../../../src/agent/parts/workloads/probes.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

const charts = {
  app: { chart: 'oci://ghcr.io/team/app', version: '1.0.0', namespace: 'app' },
  web: { chart: 'oci://ghcr.io/team/web', version: '1.0.0', namespace: 'app' },
  lost: { chart: 'lost', repo: 'https://charts.invalid/stable', version: '1.0.0', namespace: 'app' },
  own: { chart: 'https://%{KUBERNETES_API}%/static/charts/own.tgz', namespace: 'app' },
};

function probed(host: MemoryHost, role: 'server' | 'agent') {
  const probes = chartProbes(host, aNode(role, { settings: { workloads: { charts } } }));
  return examine(probes, { now: () => 0 });
}

test('the probes of charts connect once to each host, and report what an unreachable host would serve', async () => {
  const host = memoryHost()
    .onGet('https://ghcr.io/', { status: 404 })
    .onGet('https://charts.invalid/', unreachable('https://charts.invalid/'));
  expect(await probed(host, 'server')).toMatchObject([
    { what: 'charts of ghcr.io', level: 'ok', message: 'it answers; K3s fetches app, web from it' },
    {
      what: 'charts of charts.invalid',
      level: 'warning',
      message: expect.stringContaining(
        'K3s fetches lost from it, but this node does not reach it: Cannot reach',
      ),
    },
  ]);
});

test('an agent has no probes of charts', async () => {
  expect(await probed(memoryHost(), 'agent')).toEqual([]);
});
