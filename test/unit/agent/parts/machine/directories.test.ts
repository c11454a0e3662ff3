import { describe, expect, test } from 'vitest';
import { safeDirectories } from '../../../../../src/agent/parts/machine/directories.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../a-node.ts';

const node = aNode('agent');
const directories = safeDirectories(node);
const joined = { [node.paths.k3s.agentServerCa]: 'ca' };

/** Returns a machine with the files of an installed node. */
function machine(files: Readonly<Record<string, string>> = {}): MemoryHost {
  return memoryHost({
    files: {
      '/etc/group': 'root:x:0:\nlabstaff:x:4:\nstaff:!!:50:\n',
      '/etc/slipway/config.yaml': '{}',
      '/usr/local/bin/k3s': 'k3s',
      '/var/lib/slipway/join-token': 'secret',
      ...files,
    },
    directories: ['/etc/systemd/system', '/etc/slipway/config.d', '/var/lib/rancher/k3s', '/run/slipway'],
  });
}

describe('the path to a file that root runs or trusts', () => {
  test.each<[string, (host: MemoryHost) => void]>([
    ['belongs to root in every part', () => {}],
    [
      'contains a directory of another group without write permission',
      ({ files }) => files.give('/etc', '0:4'),
    ],
    [
      "contains Debian's /usr/local/bin, to which the group staff may write",
      ({ files }) => {
        files.give('/usr/local/bin', '0:50');
        files.changeMode('/usr/local/bin', 0o2775);
      },
    ],
    [
      'leads through a directory with the sticky bit to an existing entry',
      ({ files }) => {
        files.link('/var/lib/rancher', '/data/rancher');
        files.makeDirectory('/data/rancher/k3s');
        files.changeMode('/data', 0o1777);
      },
    ],
    [
      'ends at a file of another user that has a separate check',
      ({ files }) => files.give('/var/lib/slipway/join-token', '1000:1000'),
    ],
    ['ends at a dangling link', ({ files }) => files.link('/usr/local/bin/k3s', '/opt/k3s')],
    ['contains a circular link', ({ files }) => files.link('/var/lib/rancher', 'rancher')],
    [
      'contains a link that leads above the root',
      ({ files }) => files.link('/var/lib/rancher', '../../../../data'),
    ],
  ])('is safe if it %s', async (_, arrange) => {
    const host = machine();
    arrange(withoutData(host));
    expect(await outcome(directories, host)).toBe('InSync');
  });

  test.each<[string, string, (host: MemoryHost) => void]>([
    [
      'a directory of another user',
      '/usr/local/bin belongs to another user (uid 1000)|chown -h root:root /usr/local/bin.',
      ({ files }) => files.give('/usr/local/bin', '1000:0'),
    ],
    [
      'a directory of another user further up',
      '/usr/local, on the way to /usr/local/bin, belongs to another user|chown -h root:root /usr/local.',
      ({ files }) => files.give('/usr/local', '1000:1000'),
    ],
    [
      'a directory writable by all users',
      '/etc/systemd/system can be changed by every user (mode 0777)|chmod o-w /etc/systemd/system.',
      ({ files }) => files.changeMode('/etc/systemd/system', 0o777),
    ],
    [
      'a settings directory to which any user can add files despite the sticky bit',
      '/etc/slipway/config.d can be changed by every user (mode 1777)|chmod o-w /etc/slipway/config.d.',
      ({ files }) => files.changeMode('/etc/slipway/config.d', 0o1777),
    ],
    [
      'a directory with the sticky bit and a missing entry',
      '/data, on the way to |can be changed by every user (mode 1777)|chmod o-w /data.',
      ({ files }) => {
        files.link('/var/lib/rancher', '/data/rancher');
        files.makeDirectory('/data');
        files.changeMode('/data', 0o1777);
      },
    ],
    [
      'a root directory of another user',
      '/, on the way to |belongs to another user|chown -h root:root /.',
      ({ files }) => files.give('/', '1000:1000'),
    ],
    [
      'a directory writable by a group',
      '/usr/local/bin can be changed by the group 4 (mode 0775)|chmod g-w /usr/local/bin.',
      ({ files }) => {
        files.give('/usr/local/bin', '0:4');
        files.changeMode('/usr/local/bin', 0o775);
      },
    ],
    [
      'a link of another user',
      '/var/lib/rancher, on the way to |belongs to another user|chown -h root:root /var/lib/rancher.',
      ({ files }) => {
        files.link('/var/lib/rancher', '/data');
        files.give('/var/lib/rancher', '1000:1000');
      },
    ],
    [
      'a link of root that leads into the directory of another user',
      '/home/me, on the way to |chown -h root:root /home/me.',
      ({ files }) => {
        files.link('/var/lib/rancher', '/home/me/k3s');
        files.makeDirectory('/home/me');
        files.give('/home/me', '1000:1000');
      },
    ],
    [
      'a relative link of root that leads into the directory of another user',
      '/var/home/me, on the way to |chown -h root:root /var/home/me.',
      ({ files }) => {
        files.link('/var/lib/rancher', '../home/./me/k3s');
        files.makeDirectory('/var/home/me');
        files.give('/var/home/me', '1000:1000');
      },
    ],
    [
      'an executable of another user that is the target of a link',
      '/opt/k3s, on the way to /usr/local/bin/k3s, belongs to another user|chown -h root:root /opt/k3s.',
      ({ files }) => {
        files.write('/opt/k3s', 'k3s');
        files.give('/opt/k3s', '1000:1000');
        files.link('/usr/local/bin/k3s', '/opt/k3s');
      },
    ],
    [
      'a settings file of another user',
      '/etc/slipway/config.yaml belongs to another user|chown -h root:root /etc/slipway/config.yaml.',
      ({ files }) => files.give('/etc/slipway/config.yaml', '1000:1000'),
    ],
    [
      'a settings file writable by all users',
      '/etc/slipway/config.d/50-mine.yaml can be changed by every user (mode 0666)|chmod o-w /etc/slipway/config.d/50-mine.yaml.',
      ({ files }) => files.write('/etc/slipway/config.d/50-mine.yaml', '{}', 0o666),
    ],
  ])('is not safe with %s', async (_, parts, arrange) => {
    const host = machine();
    arrange(withoutData(host));
    expect(await outcome(directories, host)).toBe('UnsafePath (person)');
    const error = await directories.check(host).catch((thrown: Error) => thrown);
    for (const part of parts.split('|')) {
      expect(`${error}`).toContain(part);
    }
  });
});

test('safeDirectories accepts a --root directory that belongs to another user or is a link', async () => {
  const host = memoryHost({ directories: ['/home/me/image/etc'] });
  host.files.give('/home/me/image', '1000:1000');
  host.files.link('/image', '/home/me/image');
  for (const root of ['/home/me/image', '/image']) {
    expect(await outcome(safeDirectories(aNode('agent', { root })), host)).toBe('InSync');
  }
});

test.each([
  ['a relative link', '/image/usr', 'home/me'],
  ['an absolute link', '/image/usr', '/home/me'],
  ['an upward link in the root', '/image/usr', '../../home/me'],
  ['an upward link that leads above the root', '/image/var/lib/rancher', '../../../../home/me'],
])('safeDirectories resolves %s within the image of --root', async (_, link, target) => {
  const host = memoryHost({ directories: ['/image/home/me', '/image/var/lib', '/home/me'] });
  host.files.link(link, target);
  host.files.give('/image/home/me', '1000:1000');
  const node = aNode('agent', { root: '/image' });
  await expect(safeDirectories(node).check(host)).rejects.toThrow('run: chown -h root:root /image/home/me.');
});

describe('an unsafe path on a node that has joined', () => {
  test('is reported, but does not block the node', async () => {
    const host = machine(joined);
    host.files.give('/usr/local/bin', '1000:1000');
    expect(await outcome(directories, host)).toBe('UnsafePath (person, non-blocking)');
  });

  test('blocks the node if another user may have created the file that proves the join', async () => {
    const host = machine(joined);
    host.files.give('/var/lib/rancher', '1000:1000');
    expect(await outcome(directories, host)).toBe('UnsafePath (person)');
  });
});

describe("Slipway's own directories", () => {
  test.each(['/var/lib/slipway', '/run/slipway'])(
    'have their owner restored first, then their mode: %s',
    async (path) => {
      const host = machine()
        .on({ file: 'chown', args: ['-h', 'root:root', path] }, (_, { files }) => {
          files.give(path);
          return '';
        })
        .on({ file: 'chmod', args: ['o-w', path] }, (_, { files }) => {
          files.changeMode(path, 0o775);
          return '';
        });
      host.files.give(path, '1000:1000');
      host.files.changeMode(path, 0o777);
      expect(await settle(directories, host)).toEqual([`Drifted ${path}`, `Drifted ${path}`, 'InSync']);
      expect(host.lines()).toEqual([`run chown -h root:root ${path}`, `run chmod o-w ${path}`]);
    },
  );

  test('stay unchanged while the path to the directories is not safe', async () => {
    const host = machine();
    host.files.give('/var/lib', '1000:1000');
    host.files.give('/var/lib/slipway', '1000:1000');
    expect(await outcome(directories, host)).toBe('UnsafePath (person)');
    expect(host.lines()).toEqual([]);
  });
});

/** Removes the data of K3s, so that a case can create the directories itself; returns the machine. */
function withoutData(host: MemoryHost): MemoryHost {
  host.files.remove('/var/lib/rancher');
  return host;
}
