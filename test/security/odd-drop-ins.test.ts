import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { unreadDropIns } from '../../src/agent/parts/k3s/config/unread-drop-ins.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

const run = promisify(execFile);

const oddities: Readonly<Record<string, readonly [(path: string) => Promise<unknown>, RegExp | undefined]>> =
  {
    'a pipe that nothing writes to': [(path) => run('mkfifo', [path]), /it is not a regular file/],
    'a link to an endless device': [(path) => symlink('/dev/zero', path), /it is not a regular file/],
    'a dangling link': [(path) => symlink('/nowhere', path), /is a link that leads nowhere/],
    'a link to a directory': [(path) => symlink('/', path), /it is not a regular file/],
    'a link to itself': [(path) => symlink(path, path), /links lead in a circle/],
    'a directory, which K3s skips': [(path) => mkdir(path), undefined],
  };

describe('the check of the drop-ins of K3s', () => {
  test.each(Object.entries(oddities))(
    'does not wait for a drop-in that is %s',
    async (_name, [make, fault]) => {
      const root = await temporaryFolder();
      const folder = `${root}/etc/rancher/k3s/config.yaml.d`;
      await mkdir(folder, { recursive: true });
      await make(`${folder}/a.yaml`);
      const found = await unreadDropIns(nodeHost(), nodePaths(root));
      if (fault === undefined) {
        expect(found).toBeUndefined();
      } else {
        expect(found).toMatchObject({ reason: 'K3sConfigInvalid', message: expect.stringMatching(fault) });
      }
    },
  );
});
