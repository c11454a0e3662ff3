import { open, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fluxExecutable } from '../../../src/agent/gitops/flux/flux-release.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { k3sExecutable } from '../../../src/agent/parts/k3s/upgrade/release.ts';
import { aNode } from '../../unit/agent/a-node.ts';
import { context, fluxSettings } from '../../unit/agent/gitops/flux/settings.ts';
import { temporaryFolder } from './folder.ts';

/** The sizes in bytes to which a power loss may truncate an executable, by what remains. */
const left = { 'an empty file': 0, 'only the header': 1_000, 'only a part of the code': 2_000_000 };

test.each(
  Object.entries(left).flatMap(([what, bytes]) => [
    { what, bytes, name: 'flux' },
    { what, bytes, name: 'k3s' },
  ]),
)('the executable $name is downloaded again if a power loss left $what', async ({ name, bytes }) => {
  const root = await temporaryFolder();
  const host = nodeHost();
  const node = aNode('server', { root });
  await host.writeFile(node.paths.k3s.binary, '', { mode: 0o755 });
  const binDir = node.paths.system.bin;
  await writeFile(`${binDir}/${name}`, await beginning(bytes), { mode: 0o755 });
  const executable =
    name === 'flux' ? fluxExecutable(fluxSettings(), { ...context, binDir }) : k3sExecutable(node, []);
  const finding = await executable.check(host);
  expect(finding).toMatchObject({
    state: 'Drifted',
    drift: { blocks: true, changes: [{ field: 'version', observed: undefined }] },
  });
});

async function beginning(bytes: number): Promise<Buffer> {
  await using file = await open(process.execPath);
  return (await file.read(Buffer.alloc(bytes), 0, bytes, 0)).buffer;
}
