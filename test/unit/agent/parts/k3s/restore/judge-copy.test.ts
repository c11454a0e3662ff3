import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../../../../src/agent/engine/digest.ts';
import { judgeCopy } from '../../../../../../src/agent/parts/k3s/restore/judge-copy.ts';
import { kineSql } from '../../../../../lab/memory-databases.ts';
import type { MemoryHost } from '../../../../../lab/memory-host.ts';
import { aServer, paths } from '../datastore/a-datastore.ts';
import { file, putCopy } from './a-copy.ts';

function world(version = 'v1.36.3+k3s1'): MemoryHost {
  const { host } = aServer();
  host.on({ file: 'k3s', args: ['--version'] }, `k3s version ${version} (1a2b3c4d)\n`);
  putCopy(host);
  return host;
}

/** Returns the reason and the message with which a copy is refused. */
async function refusal(host: MemoryHost): Promise<string> {
  const thrown = await judgeCopy(host, paths, file).then(
    () => 'not refused',
    ({ reason, message }) => `${reason}: ${message}`,
  );
  expect(host.mutations).toBe(0);
  return thrown;
}

describe('a copy of the datastore', () => {
  test.each(['v1.36.3+k3s1', 'v1.36.4+k3s1', 'v1.37.0+k3s1'])(
    'may be restored by K3s %s',
    async (version) => {
      const copy = await judgeCopy(world(version), paths, file);
      expect(copy).toMatchObject({
        path: file,
        k3s: 'v1.36.3+k3s1',
        installed: version,
        isKept: false,
        objects: 2,
      });
    },
  );

  test('may be restored if the server has lost its CA and its own token file', async () => {
    const host = world();
    host.files.remove(paths.k3s.serverCa);
    host.files.remove(paths.k3s.serverToken);
    expect(await judgeCopy(host, paths, file)).toMatchObject({ path: file });
  });

  test.each<readonly [string, (host: MemoryHost) => void, RegExp]>([
    [
      'if its manifest is missing',
      (host) => host.files.remove(`${file}.json`),
      /the manifest of the copy, is missing/,
    ],
    ['if its manifest is damaged', (host) => host.files.write(`${file}.json`, '{'), /missing or damaged/],
    [
      'if it is gone',
      (host) => host.files.remove(file),
      /does not exist\. See ls \/var\/lib\/slipway\/backup/,
    ],
    [
      'if it belongs to another cluster',
      (host) => putCopy(host, { ca: sha256('other') }),
      /copy of another cluster \(CA d9298a10d1b0/,
    ],
    [
      'if it belongs to another token',
      (host) => putCopy(host, { token: '0123456789ab' }),
      /encrypted with another token .*0123456789ab/,
    ],
    [
      'if a newer K3s made it',
      (host) => putCopy(host, { k3s: 'v1.36.4+k3s1' }),
      /Install v1\.36\.4\+k3s1 first/,
    ],
    [
      'if it was changed',
      (host) => host.files.write(file, kineSql(['/bootstrap/0123456789ab', '/registry/x'])),
      /its sha256 is/,
    ],
  ])('is refused %s, and the message names the repair', async (_, change, message) => {
    const host = world();
    change(host);
    expect(await refusal(host)).toMatch(message);
    expect(await refusal(host)).toMatch(/^RestoreRefused: Nothing was changed: /);
  });

  test('is refused if it is damaged', async () => {
    const host = world();
    host.files.write(file, 'not SQL');
    expect(await refusal(host)).toMatch(/^DatabaseDamaged: .*Use another copy/);
  });

  test.each<readonly [string, (host: MemoryHost) => void, RegExp]>([
    ['without K3s', (host) => host.on({ file: 'k3s', args: ['--version'] }, { exitCode: 127 }), /has no K3s/],
    ['without a server', (host) => host.files.remove('/etc/systemd/system/k3s.service'), /has no K3s server/],
    [
      'with embedded etcd',
      (host) => host.files.write('/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', ''),
      /keeps its datastore in embedded etcd.*Choose a copy of embedded etcd/,
    ],
    [
      'with an external datastore',
      (host) => host.files.write('/etc/rancher/k3s/config.yaml', 'datastore-endpoint: mysql://x\n'),
      /an external datastore/,
    ],
    [
      'whose datastore is on a disk of its own',
      (host) => host.files.write('/proc/mounts', '/dev/sdb1 /var/lib/rancher/k3s/server/db ext4 rw 0 0\n'),
      /server\/db is a link or a mount of its own/,
    ],
    [
      'without a token',
      (host) => {
        host.files.remove(paths.slipway.joinToken);
        host.files.remove(paths.k3s.serverToken);
      },
      /has no token/,
    ],
    [
      'whose systemd runs another unit',
      (host) => host.on({ file: 'systemctl', args: /^show/ }, 'FragmentPath=\n'),
      /systemd runs another unit/,
    ],
  ])('is refused on a machine %s', async (_, change, message) => {
    const host = world();
    change(host);
    expect(await refusal(host)).toMatch(message);
  });

  /** Notes an open rotation from the token of the server to another one, which K3s has already stored. */
  function rotating(host: MemoryHost, from = sha256('swordfish').slice(0, 12)): void {
    const record = { state: 'begun', from, to: sha256('marlin').slice(0, 12) };
    const tokens = { from: 'swordfish\n', to: 'marlin\n' };
    host.files.write(paths.slipway.tokenRotation, JSON.stringify({ format: 1, ...record, tokens }), 0o600);
    host.files.write(paths.k3s.serverToken, 'marlin\n', 0o600);
  }

  test('may be restored during a rotation that replaces its token', async () => {
    const host = world();
    rotating(host);
    expect(await judgeCopy(host, paths, file)).toMatchObject({ path: file });
  });

  test('is refused during a rotation that replaces another token, and the message names the way out', async () => {
    const host = world();
    rotating(host, '0123456789ab');
    expect(await refusal(host)).toMatch(/^RestoreRefused: .* Let the rotation end first/);
  });

  test('is refused while the restore of another copy is under way', async () => {
    const host = world();
    const other = {
      format: 1,
      from: '/other.db',
      sha256: sha256('other'),
      at: '20261130T115900Z',
      isEnabled: true,
    };
    host.files.write(paths.slipway.restore, JSON.stringify(other));
    expect(await refusal(host)).toMatch(/End it first: slipway restore --from \/other\.db/);
  });

  test('shows no secret in a refusal', async () => {
    const host = world();
    putCopy(host, { token: '0123456789ab' });
    expect(await refusal(host)).not.toContain('swordfish');
  });
});
