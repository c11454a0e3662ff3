import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Event } from '../../../src/agent/engine/events.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { load } from '../../../src/agent/settings/load.ts';
import { metricsExposition } from '../../../src/commands/expose-metrics.ts';
import { freePort } from '../../lab/lab.ts';
import { aReport, condition } from '../../unit/agent/report/metrics/a-report.ts';
import { temporaryFolder } from '../host/folder.ts';
import { staticImports } from '../static-imports.ts';

/**
 * Creates a root. Resolves to the root, a function that applies metrics settings as a pass does, and the events of all
 * passes.
 */
async function daemon() {
  const root = await temporaryFolder();
  const [host, paths] = [nodeHost(), nodePaths(root)];
  const events: Event[] = [];
  const expose = metricsExposition({ host, paths }, (event) => void events.push(event));
  const file = join(root, 'etc/slipway/config.yaml');
  await mkdir(dirname(file), { recursive: true });
  const pass = async (metrics: object) => {
    await writeFile(file, JSON.stringify({ metrics }));
    const report = aReport({ conditions: [condition('Ready')] });
    const files = { value: await load(host, { paths }) };
    await expose({ ...report, knowledge: { ...report.knowledge, files } }, { from: 0, to: 1_500 });
  };
  return { root, pass, events };
}

async function get(address: string): Promise<string> {
  return (await fetch(`http://${address}/metrics`)).text();
}

test('each pass applies the metrics settings: off, an address, another address and a file, off', async () => {
  const [one, other] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const { root, pass, events } = await daemon();
  const textfile = '/run/slipway/metrics.prom';

  await pass({});
  await expect(get(one)).rejects.toThrow();
  await pass({ listen: one });
  // The counter includes the pass that enables the metrics, but not the pass before it.
  expect(await get(one)).toMatch(/^slipway_passes_total 1$/m);
  await pass({ listen: other, textfile });
  await expect(get(one)).rejects.toThrow();
  const text = await get(other);
  expect(text).toMatch(/^slipway_pass_duration_seconds_sum 3$/m);
  expect(text).toMatch(/^slipway_process_resident_memory_bytes \d{7,}$/m);
  expect(await readFile(join(root, textfile), 'utf8')).toMatch(/^slipway_ready 1$/m);
  await pass({});
  await expect(get(other)).rejects.toThrow();
  await expect(readFile(join(root, textfile))).rejects.toThrow('ENOENT');
  expect(events).toEqual([]);
});

test('an unusable address and an unusable file for metrics each cause only one warning, and passes continue', async () => {
  const { root, pass, events } = await daemon();
  await writeFile(join(root, 'run'), 'in the way');
  const address = `192.0.2.1:${await freePort()}`;
  await pass({ listen: address, textfile: '/run/metrics.prom' });
  await pass({ listen: address, textfile: '/run/metrics.prom' });
  expect(events).toEqual([
    { type: 'Warned', message: expect.stringContaining(`cannot be served at ${address} (EADDRNOTAVAIL)`) },
    { type: 'Warned', message: expect.stringContaining('not in metrics.textfile: Cannot write') },
  ]);
});

test('the daemon loads no code for metrics while metrics are off', async () => {
  const loaded = await staticImports('src/commands/daemon-loop.ts');
  expect(loaded).toContain('src/commands/expose-metrics.ts');
  const ofMetrics = /prom-client|metrics\/(?!settings)|metrics-server/;
  expect(loaded.filter((path) => ofMetrics.test(path))).toEqual([]);
});
