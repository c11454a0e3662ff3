import { expect, test } from 'vitest';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { load } from '../../../../../src/agent/settings/load.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { problemsOf } from '../../settings/invalid.ts';

const own = '/etc/slipway/config.yaml';

function settings(metrics: string) {
  return load(memoryHost({ files: { [own]: `metrics: ${metrics}` } }), { paths: nodePaths('/') });
}

test('metrics are off by default', async () => {
  expect((await settings('{}')).settings.metrics).toEqual({});
});

test.each([
  '{ listen: 127.0.0.1:9753 }',
  '{ listen: 0.0.0.0:1024 }',
  '{ listen: localhost:65535 }',
  '{ listen: "[::1]:9753" }',
  '{ listen: "[::]:9753", textfile: /run/slipway/metrics.prom }',
  '{ textfile: /var/lib/prometheus/node-exporter/slipway.v1.prom }',
])('the metrics settings %s are valid', async (metrics) => {
  expect(await problemsOf(() => settings(metrics))).toEqual([]);
});

const address = 'metrics.listen: must be an address of this host with a port from 1024 to 65535';
const path = 'metrics.textfile: must be an absolute path without . and .. that ends in .prom';
test.each([
  ['{ listen: 9753 }', 'metrics.listen: must be text'],
  ['{ listen: ":9753" }', address],
  ['{ listen: 127.0.0.1 }', address],
  ['{ listen: 127.0.0.1:80 }', address],
  ['{ listen: 127.0.0.1:65536 }', address],
  ['{ listen: 127.0.0.1:0 }', address],
  ['{ listen: 300.0.0.1:9753 }', address],
  ['{ listen: "::1:9753" }', address],
  ['{ listen: "[::g]:9753" }', address],
  ['{ listen: "http://127.0.0.1:9753" }', address],
  ['{ listen: 127.0.0.1:9753/metrics }', address],
  ['{ listen: "user@localhost:9753" }', address],
  ['{ textfile: metrics.prom }', path],
  ['{ textfile: /run/slipway/metrics.txt }', path],
  ['{ textfile: /run/slipway/.prom }', path],
  ['{ textfile: /run/slipway/../../etc/x.prom }', path],
  ['{ textfile: /run//x.prom }', path],
  ['{ textfile: 5 }', 'metrics.textfile: must be text'],
  ['{ listen: 127.0.0.1:9753, path: /metrics }', 'metrics.path: is not a setting'],
])('the metrics settings %s are invalid', async (metrics, beginning) => {
  const found = await problemsOf(() => settings(metrics));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${own}: ${beginning}`);
});
