import { expect, test } from 'vitest';
import { accessInputs } from '../../../../../../src/agent/parts/k3s/service/start-inputs.ts';
import {
  changedInputs,
  readStamp,
  stampStart,
} from '../../../../../../src/agent/parts/k3s/service/start-stamp.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';

const paths = nodePaths('/');
const path = paths.k3s.datastoreEndpoint;
const inputs = accessInputs.filter(({ name }) => name === 'datastoreEndpoint');
const dropIn = (password: string) =>
  `datastore-endpoint: "postgres://k3s:${password}@db/k3s"\ndatastore-cafile: "/ca.pem"\n`;

/** Returns a server whose K3s has started with an endpoint and a CA file. */
async function started(): Promise<MemoryHost> {
  const host = memoryHost({ files: { [path]: dropIn('first'), '/ca.pem': 'one' } });
  host.on({ file: paths.k3s.binary }, { exitCode: 1 });
  await stampStart(host, paths, { inputs, notes: [] }, 'a');
  return host;
}

async function changed(host: MemoryHost): Promise<readonly string[]> {
  const stamp = await readStamp(host, paths, 'a');
  return stamp ? changedInputs(host, aNode('server'), stamp, inputs) : expect.fail('there is no stamp');
}

test('the same endpoint does not restart K3s, although its file was written again', async () => {
  const host = await started();
  host.files.write(path, dropIn('first'));
  expect(await changed(host)).toEqual([]);
});

test.each([
  ['a new password', (host: MemoryHost) => host.files.write(path, dropIn('second'))],
  ['a renewed CA file', (host: MemoryHost) => host.files.write('/ca.pem', 'two')],
])('%s restarts K3s', async (_, change) => {
  const host = await started();
  change(host);
  expect(await changed(host)).toEqual(['datastoreEndpoint']);
});

test.each([
  ['is lost', (host: MemoryHost) => host.files.remove(path)],
  ['has no usable endpoint', (host: MemoryHost) => host.files.write(path, 'datastore-endpoint: x\n')],
])('K3s is not restarted while the file %s, since it would begin an empty cluster', async (_, damage) => {
  const host = await started();
  damage(host);
  expect(await changed(host)).toEqual([]);
});
