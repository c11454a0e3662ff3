import { expect, test } from 'vitest';
import type { HostReader } from '../../../../src/agent/engine/host.ts';
import { recordingHost } from '../../../../src/agent/host/recording/recording-host.ts';
import { executableVersion } from '../../../../src/agent/resources/executable-version.ts';
import { type MemoryHost, memoryHost } from '../../../lab/memory-host.ts';

const path = '/usr/local/bin/k3s';

/** Returns a machine with an executable, and a function that returns its version and counts its runs. */
function world() {
  const host = memoryHost({ files: { [path]: 'k3s' } });
  const runs: string[] = [];
  const version = (answer?: string, on: HostReader = host) =>
    executableVersion(on, path, async () => {
      runs.push(answer ?? 'none');
      return answer;
    });
  return { host, runs, version };
}

test('executableVersion runs an unchanged executable once', async () => {
  const { runs, version } = world();
  expect([await version('v1'), await version('v2'), await version('v2')]).toEqual(['v1', 'v1', 'v1']);
  expect(runs).toEqual(['v1']);
});

test.each<[string, (host: MemoryHost) => void]>([
  ['was written with the same size at the same time', ({ files }) => files.write(path, '3ks')],
  [
    'was replaced',
    ({ files }) => {
      files.write('/new', 'k3s');
      files.rename('/new', path);
    },
  ],
])('executableVersion runs an executable again that %s', async (_, change) => {
  const { host, version } = world();
  await version('v1');
  change(host);
  expect(await version('v2')).toBe('v2');
});

test.each<[string, (host: MemoryHost) => void]>([
  ['is missing', ({ files }) => files.remove(path)],
  ['is a link, whose target may change', ({ files }) => files.link(path, '/opt/k3s')],
])('executableVersion always runs an executable that %s', async (_, change) => {
  const { host, version } = world();
  change(host);
  await version('v1');
  expect(await version('v2')).toBe('v2');
});

test('executableVersion does not remember that an executable names no version', async () => {
  const { version } = world();
  expect(await version()).toBeUndefined();
  expect(await version('v1')).toBe('v1');
});

test('executableVersion does not remember an error', async () => {
  const { host, version } = world();
  const busy = executableVersion(host, path, () => Promise.reject(new Error('busy')));
  await expect(busy).rejects.toThrow('busy');
  expect(await version('v1')).toBe('v1');
});

test('executableVersion in a dry run does not take the new executable for the old one', async () => {
  const { host, version } = world();
  await version('v1');
  const dry = recordingHost(host);
  await dry.writeFile(path, 'new', { mode: 0o755 });
  expect(await version('v2', dry)).toBe('v2');
  expect(await version('v1')).toBe('v1');
});
