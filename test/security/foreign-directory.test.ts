import { access, chmod, chown, mkdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { safeDirectories } from '../../src/agent/parts/machine/directories.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { endOf, rootWith, startSlipway } from './process.ts';

const host = nodeHost();
const attacker = 12_345;
let root: string;
let marker: string;

/** Creates the root directory of a machine with the settings of a K3s server, and its /usr/local/bin. */
beforeEach(async () => {
  root = await rootWith({
    cloud: 'static',
    role: 'server',
    node: { name: 'vm', ip: '10.0.0.4' },
    k3s: { releaseUrl: 'http://127.0.0.1:9' },
  });
  marker = join(root, 'ran-as-root');
  await mkdir(`${root}/usr/local/bin`, { recursive: true });
});

describe.skipIf(process.getuid?.() !== 0)(
  'a user who controls a directory in the path of K3s (needs root, for chown)',
  () => {
    test.each<[string, () => Promise<void>]>([
      [
        'who owns the directory of K3s',
        async () => {
          await trap(`${root}/usr/local/bin`);
          await chown(`${root}/usr/local/bin`, attacker, attacker);
        },
      ],
      [
        'who owns the parent of the directory of K3s',
        async () => {
          await trap(`${root}/usr/local/bin`);
          await chown(`${root}/usr/local`, attacker, attacker);
        },
      ],
      [
        'who owns the target if the directory of K3s is a link',
        async () => {
          await rename(`${root}/usr/local/bin`, `${root}/mine`);
          await trap(`${root}/mine`);
          await chown(`${root}/mine`, attacker, attacker);
          await symlink('../../mine', `${root}/usr/local/bin`);
        },
      ],
      [
        'who may write to the directory of K3s, which is world-writable',
        async () => {
          await trap(`${root}/usr/local/bin`);
          await chmod(`${root}/usr/local/bin`, 0o777);
        },
      ],
    ])('cannot make root run another K3s: a user %s', async (_, arrange) => {
      await arrange();
      const { code, output } = await applied();
      expect({ code, ran: await exists(marker) }).toEqual({ code: 1, ran: false });
      expect(output).toContain('UnsafePath');
    });

    test('loses the ownership of a directory that only Slipway uses', async () => {
      const own = `${root}/var/lib/slipway`;
      await mkdir(own, { recursive: true });
      await chmod(own, 0o777);
      await chown(own, attacker, attacker);
      const directories = safeDirectories(aNode('server', { root }));
      // The first pass corrects the owner, the second pass the mode.
      for (let pass = 0; pass < 2; pass += 1) {
        const finding = await directories.check(host);
        if (finding.state === 'Drifted') {
          await finding.drift.remedy(host);
        }
      }
      expect((await directories.check(host)).state).toBe('InSync');
      expect(await stat(own)).toMatchObject({ uid: 0, gid: 0, mode: 0o040775 });
    });

    test('cannot lift the block by forging the proof that K3s has joined', async () => {
      await trap(`${root}/usr/local/bin`);
      await mkdir(`${root}/var/lib/rancher/k3s/server`, { recursive: true });
      await writeFile(`${root}/var/lib/rancher/k3s/server/token`, 'forged');
      await chown(`${root}/var/lib/rancher/k3s`, attacker, attacker);
      const { code } = await applied();
      expect({ code, ran: await exists(marker) }).toEqual({ code: 1, ran: false });
    });
  },
);

test('Slipway runs the fake K3s in a directory that root owns, so its marker file proves an attack in the other tests', async () => {
  await trap(`${root}/usr/local/bin`);
  await applied();
  expect(await exists(marker)).toBe(true);
});

/** Writes a fake K3s to a folder. If anything runs the fake, it creates the marker file. */
async function trap(folder: string): Promise<void> {
  await writeFile(`${folder}/k3s`, `#!/bin/sh\ntouch ${marker}\necho k3s version v1.36.3+k3s1\n`);
  await chmod(`${folder}/k3s`, 0o755);
}

async function applied() {
  const child = startSlipway(['apply', '--timeout', '0.05', '--root', root], ['ignore', 'pipe', 'pipe']);
  const { code, stdout, stderr } = await endOf(child);
  return { code, output: stdout + stderr };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
