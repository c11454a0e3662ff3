import { describe, expect, test } from 'vitest';
import type { HostReader } from '../../../../src/agent/engine/host.ts';
import { file } from '../../../../src/agent/resources/file.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { settle } from '../a-node.ts';

const path = '/etc/app.conf';
const spec = { path, content: 'wanted', condition: 'System' } as const;

test.each([false, true])('a missing file is written if replacesLinks is %j', async (replacesLinks) => {
  const host = memoryHost();
  expect(await settle(file({ ...spec, replacesLinks }), host)).toEqual(['Drifted content, mode', 'InSync']);
  expect(await host.readFile(path)).toMatchObject({ content: 'wanted', mode: 0o644 });
});

test('the content of a file may depend on the machine', async () => {
  const host = memoryHost({ files: { '/etc/name': 'vm-1' } });
  const content = async (found: HostReader) => `I am ${(await found.readFile('/etc/name'))?.content}`;
  expect(await settle(file({ ...spec, content, mode: 0o600 }), host)).toEqual([
    'Drifted content, mode',
    'InSync',
  ]);
  expect(await host.readFile(path)).toMatchObject({ content: 'I am vm-1', mode: 0o600 });
});

test('a file that belongs to another user is written again', async () => {
  const host = memoryHost({ files: { [path]: 'wanted' } });
  host.files.give(path, '1000:1000');
  expect(await settle(file(spec), host)).toEqual(['Drifted owner', 'InSync']);
});

/** Returns a machine on which the administrator moved the file and left a link to it. */
function linked() {
  return memoryHost({ files: { [path]: { link: '/srv/app.conf' }, '/srv/app.conf': 'wanted' } });
}

describe('a link in place of a file', () => {
  test('stays while its target has the wanted content, if replacesLinks is false', async () => {
    const host = linked();
    expect(await settle(file(spec), host)).toEqual(['InSync']);
    expect(host.journal).toEqual([]);
  });

  test('is replaced if replacesLinks is true, even if its target has the wanted content', async () => {
    const host = linked();
    expect(await settle(file({ ...spec, replacesLinks: true }), host)).toEqual([
      'Drifted content, mode',
      'InSync',
    ]);
    expect(await host.stat(path)).toMatchObject({ kind: 'file', mode: 0o644 });
  });
});
