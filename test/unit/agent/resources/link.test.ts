import { expect, test } from 'vitest';
import { link } from '../../../../src/agent/resources/link.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { settle } from '../a-node.ts';

const path = '/usr/local/bin/kubectl';
const kubectl = link({ path, target: 'k3s', condition: 'K3sBinary' });

test.each<[string, string | { link: string } | undefined, readonly string[]]>([
  ['is created at a free path', undefined, ['Drifted target', 'InSync']],
  ['replaces another link', { link: '/opt/kubectl' }, ['Drifted target', 'InSync']],
  ['stays if it has the wanted target', { link: 'k3s' }, ['InSync']],
  ['does not replace a file of the operator', 'kubectl', ['InSync']],
])('a link %s', async (_, start, expected) => {
  const host = memoryHost({ files: start === undefined ? {} : { [path]: start } });
  expect(await settle(kubectl, host)).toEqual(expected);
});

test.each([
  ['is replaced if it belongs to another user', '1000:1000', ['Drifted user', 'InSync']],
  ['stays if only its group differs, as in a directory that passes on its group', '0:50', ['InSync']],
])('a link %s', async (_, owner, expected) => {
  const host = memoryHost({ files: { [path]: { link: 'k3s' } } });
  host.files.give(path, owner);
  expect(await settle(kubectl, host)).toEqual(expected);
});
