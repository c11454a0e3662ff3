import { expect, test } from 'vitest';
import type { Event } from '../../../../../src/agent/engine/events.ts';
import { exposition } from '../../../../../src/agent/report/metrics/exposition.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aReport, someMetrics } from './a-report.ts';

const file = '/run/slipway/metrics.prom';

/**
 * Returns `pass`, which exposes metrics on a machine in memory after a pass, and records of what the exposition does.
 * The listener fails with `trouble.message`, if set.
 */
function exposed(host: MemoryHost = memoryHost(), root = '/') {
  const events: Event[] = [];
  const listened: (string | undefined)[] = [];
  const trouble: { message?: string } = {};
  const follow = async (address: string | undefined) => {
    listened.push(address);
    return trouble.message;
  };
  const emit = (event: Event) => void events.push(event);
  const expose = exposition({ metrics: someMetrics(), host, root, listener: { follow }, emit });
  const pass = (settings: Parameters<typeof expose>[1]) =>
    expose({ report: aReport(), from: 0, to: 1_000 }, settings);
  const warnings = () => events.map((event) => (event.type === 'Warned' ? event.message : event.type));
  return { host, pass, listened, trouble, warnings };
}

test('the textfile contains all metrics after each pass, below the root and readable by all users', async () => {
  const { host, pass } = exposed(memoryHost(), '/mnt');
  for (const passes of [1, 2]) {
    await pass({ textfile: file });
    expect(host.files.read(`/mnt${file}`)?.content).toContain(`\nslipway_passes_total ${passes}\n`);
  }
  expect(host.files.stat(`/mnt${file}`)?.mode).toBe(0o644);
});

test('a textfile that is no longer wanted is removed, and other files stay', async () => {
  const host = memoryHost({ files: { '/run/slipway/other.prom': 'x 1\n' } });
  const { pass } = exposed(host);
  await pass({ textfile: file });
  await pass({ textfile: '/run/slipway/new.prom' });
  expect(host.files.list('/run/slipway')).toEqual(['new.prom', 'other.prom']);
  await pass({});
  expect(host.files.list('/run/slipway')).toEqual(['other.prom']);
});

test('the listener gets the address in the settings after each pass', async () => {
  const { pass, listened, host } = exposed();
  await pass({ listen: '127.0.0.1:9753' });
  await pass({ listen: '127.0.0.1:9754' });
  await pass({});
  expect(listened).toEqual(['127.0.0.1:9753', '127.0.0.1:9754', undefined]);
  expect(host.lines()).toEqual([]);
});

test('a port in use causes one warning until it is free', async () => {
  const { pass, trouble, warnings } = exposed();
  trouble.message = 'taken';
  await pass({ listen: '127.0.0.1:9753' });
  await pass({ listen: '127.0.0.1:9753' });
  expect(warnings()).toEqual(['taken']);
  delete trouble.message;
  await pass({ listen: '127.0.0.1:9753' });
  trouble.message = 'taken';
  await pass({ listen: '127.0.0.1:9753' });
  expect(warnings()).toEqual(['taken', 'taken']);
});

test('a textfile that cannot be written causes one warning, and is retried', async () => {
  const { host, pass, warnings } = exposed(memoryHost().failWrite(file, 'EROFS'));
  await pass({ textfile: file });
  await pass({ textfile: file });
  expect(warnings()).toEqual([expect.stringMatching(/^The metrics are not in metrics\.textfile: .*EROFS/)]);
  host.heal(file);
  await pass({ textfile: file });
  expect(host.files.read(file)?.content).toContain('slipway_passes_total 3');
});
