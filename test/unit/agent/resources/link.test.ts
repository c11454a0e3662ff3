import { expect, test } from 'vitest';
import { link } from '../../../../src/agent/resources/link.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { settle } from '../a-node.ts';

const path = '/usr/local/bin/kubectl';
const kubectl = link({ path, target: 'k3s', condition: 'K3sBinary' });

test.each<[string, string | { link: string } | undefined, readonly string[]]>([
  ['nothing', undefined, ['Drifted target', 'InSync']],
  ['another link', { link: '/opt/kubectl' }, ['Drifted target', 'InSync']],
  ['the link', { link: 'k3s' }, ['InSync']],
  ["a file of the operator's", 'kubectl', ['InSync']],
])('%s in its place', async (_, start, expected) => {
  const host = memoryHost({ files: start === undefined ? {} : { [path]: start } });
  expect(await settle(kubectl, host)).toEqual(expected);
});

test.each([
  ['user', '1000:1000', ['Drifted user', 'InSync']],
  ['group, as from its directory,', '0:50', ['InSync']],
])('a link of another %s', async (_, owner, expected) => {
  const host = memoryHost({ files: { [path]: { link: 'k3s' } } });
  host.files.give(path, owner);
  expect(await settle(kubectl, host)).toEqual(expected);
});
