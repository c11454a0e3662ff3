import { expect } from 'vitest';
import { sha256 } from '../../../../../../src/agent/engine/digest.ts';
import { renderOwn } from '../../../../../../src/agent/engine/own-file.ts';
import type { CopyManifest } from '../../../../../../src/agent/parts/k3s/datastore/copies.ts';
import { kineSql } from '../../../../../lab/memory-databases.ts';
import type { MemoryHost } from '../../../../../lab/memory-host.ts';
import { ca, token } from '../datastore/a-datastore.ts';

export const file = '/var/lib/slipway/backup/state-20261130T110000Z.db';

/** The datastore of an hour ago, which has one object fewer than the current datastore. */
export const copySql = kineSql([
  `/bootstrap/${token}`,
  '/registry/namespaces/default',
  '/registry/nodes/vm-1',
]);

/** Puts a copy with its manifest on the machine; `changes` replaces fields of the manifest. */
export function putCopy(host: MemoryHost, changes: Partial<CopyManifest> = {}, sql = copySql): void {
  const manifest: CopyManifest = {
    datastore: 'sqlite',
    k3s: 'v1.36.3+k3s1',
    ca: sha256(ca),
    token,
    bytes: Buffer.byteLength(sql),
    sha256: sha256(sql),
    revision: 3,
    objects: 2,
    madeAt: '2026-11-30T11:00:00Z',
    reason: 'upgrade v1.36.4+k3s1',
    ...changes,
  };
  host.files.write(file, sql, 0o600);
  host.files.write(`${file}.json`, renderOwn({ format: 1 }, manifest), 0o600);
}

/** Runs the commands with which the message of a failed restore goes back, except those of systemctl. */
export function goBack({ files }: MemoryHost, message: string): void {
  const [, commands = ''] = /To go back to what was there before: (.*)\.$/m.exec(message) ?? [];
  expect(commands).toMatch(/^systemctl stop slipway k3s\.service; .*; systemctl start k3s\.service slipway$/);
  for (const [program = '', ...args] of commands.split('; ').map((command) => command.split(' '))) {
    const [from = '', to = ''] = args.filter((each) => !each.startsWith('-'));
    if (program === 'mv') {
      // mv would move a folder into a folder that exists.
      expect(files.stat(to)?.kind).not.toBe('directory');
      files.rename(from, to);
    } else if (program === 'rm') {
      files.remove(from);
    } else {
      expect(program).toBe('systemctl');
    }
  }
}
