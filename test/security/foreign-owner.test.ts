import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { file } from '../../src/agent/resources/file.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

const host = nodeHost();

describe.skipIf(process.getuid?.() !== 0)('a file of Slipway (needs root, for chown)', () => {
  test.each([
    ['user', 12_345, 0],
    ['group', 0, 12_345],
  ])('is given back to root if its %s is not root', async (_, uid, gid) => {
    const path = `${await temporaryFolder()}/k3s.service`;
    await writeFile(path, 'x', { mode: 0o644 });
    await chown(path, uid, gid);
    expect((await host.readFile(path))?.foreignOwner).toBe(`${uid}:${gid}`);
    expect((await host.stat(path))?.foreignOwner).toBe(`${uid}:${gid}`);
    const unit = file({ path, content: 'x', condition: 'System' });
    const finding = await unit.check(host);
    expect(finding).toMatchObject({ drift: { changes: [{ field: 'owner', observed: `${uid}:${gid}` }] } });
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(host);
    }
    expect((await unit.check(host)).state).toBe('InSync');
    expect(await stat(path)).toMatchObject({ uid: 0, gid: 0 });
  });

  test('belongs to the group root even in a directory with the setgid bit', async () => {
    const folder = `${await temporaryFolder()}/bin`;
    await mkdir(folder);
    await chown(folder, 0, 50);
    await chmod(folder, 0o2775);
    await host.writeFile(`${folder}/file`, 'x', { mode: 0o644 });
    expect(await stat(`${folder}/file`)).toMatchObject({ uid: 0, gid: 0 });
  });
});
