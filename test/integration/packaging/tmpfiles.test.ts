import { chmod, mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { temporaryFolder } from '../host/folder.ts';

const host = nodeHost();
const { exitCode } = await host.query({ file: 'systemd-tmpfiles', args: ['--version'] });
const modeOf = async (path: string) => (await stat(path)).mode & 0o7777;

test.skipIf(exitCode !== 0)(
  'the tmpfiles rules create missing directories, and keep the modes of existing directories (needs systemd-tmpfiles)',
  async () => {
    const root = await temporaryFolder();
    const strict = { 'etc/rancher': 0o700, 'usr/local/bin': 0o2775, 'var/lib/rancher': 0o711 };
    for (const [path, mode] of Object.entries(strict)) {
      await mkdir(`${root}/${path}`, { recursive: true });
      await chmod(`${root}/${path}`, mode);
    }
    const rules = resolve('systemd/slipway.tmpfiles.conf');
    await host.run({ file: 'systemd-tmpfiles', args: ['--root', root, '--create', rules] });
    for (const [path, mode] of Object.entries(strict)) {
      expect(await modeOf(`${root}/${path}`), path).toBe(mode);
    }
    for (const path of ['etc/modules-load.d', 'etc/sysctl.d', 'etc/systemd/system']) {
      expect(await modeOf(`${root}/${path}`), path).toBe(0o755);
    }
  },
);
