import { expect, test } from 'vitest';
import { certificateFiles } from '../../../../../../src/agent/parts/k3s/certificates/certificate-files.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { issue, makeAuthority, makeIntermediate } from '../../../../../lab/standins/k3s-certificates.ts';
import {
  agentLeaves,
  serverLeaves,
  startAgentLeaves,
  startServerLeaves,
} from '../../../../../lab/standins/k3s-leaves.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 0, 1);
const paths = nodePaths('/');
const data = '/var/lib/rancher/k3s';
const validity = { from: now - day, ends: now + 3_650 * day };
const authorities = {
  server: makeAuthority('server-ca', validity),
  client: makeAuthority('client-ca', validity),
};

/** Returns a server with the certificates of K3s, and a function that adds or changes a file. */
function aServer() {
  const host = memoryHost({ now });
  const files = {
    read: (path: string) => host.files.text(`${data}/${path}`),
    write: (path: string, text: string) => host.files.write(`${data}/${path}`, text),
  };
  startServerLeaves(files, { authorities, now });
  startAgentLeaves(files, { authorities, now });
  return { host, write: files.write };
}

test('all certificates of a server are found, and each CA once', async () => {
  const { certificates, damages } = await certificateFiles(aServer().host, paths);
  const named = (wanted: string) =>
    certificates.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  expect(named('leaf').toSorted()).toEqual(
    [...serverLeaves, ...agentLeaves].map(([path]) => path).toSorted(),
  );
  expect(named('ca')).toEqual(['server/tls/client-ca.crt', 'server/tls/server-ca.crt']);
  expect(damages).toEqual([]);
});

test('a node without K3s has no certificates', async () => {
  expect(await certificateFiles(memoryHost(), paths)).toEqual({ certificates: [], damages: [] });
});

test('the root and the intermediate of a custom CA are found by their place in the file', async () => {
  const { host, write } = aServer();
  const root = makeAuthority('root', validity);
  write('server/tls/server-ca.crt', makeIntermediate(root, 'intermediate').certificate + root.certificate);
  const { certificates } = await certificateFiles(host, paths);
  expect(certificates.filter(({ kind }) => kind === 'ca').map(({ name }) => name)).toContain(
    'server/tls/server-ca.crt#2',
  );
});

test('a leaf that is valid from the start of its CA counts as issued when its file was written', async () => {
  const { host, write } = aServer();
  host.advance(40 * day);
  const old = issue(authorities.client, { commonName: 'x', validity: { ...validity, ends: now + 70 * day } });
  write('server/tls/client-admin.crt', old.certificate);
  const { certificates } = await certificateFiles(host, paths);
  expect(certificates.find(({ name }) => name === 'server/tls/client-admin.crt')?.issued).toBe(
    now + 40 * day,
  );
});

test('a leaf whose file is newer than its end counts as issued at the start of its validity', async () => {
  const { host, write } = aServer();
  const ended = issue(authorities.client, {
    commonName: 'x',
    validity: { from: now - 9 * day, ends: now - day },
  });
  write('server/tls/client-admin.crt', ended.certificate);
  const { certificates } = await certificateFiles(host, paths);
  expect(certificates.find(({ name }) => name === 'server/tls/client-admin.crt')?.issued).toBe(now - 9 * day);
});

test('damaged files are named, and the others are found all the same', async () => {
  const { host, write } = aServer();
  write('server/tls/client-admin.crt', '');
  write('agent/odd.crt', 'x'.repeat(70_000));
  host.files.makeDirectory(`${data}/server/tls/etcd/folder.crt`);
  const { certificates, damages } = await certificateFiles(host, paths);
  expect(damages).toEqual([
    { path: `${data}/server/tls/client-admin.crt`, why: 'contains no certificate' },
    { path: `${data}/server/tls/etcd/folder.crt`, why: expect.stringMatching(/^cannot be read: /) },
    { path: `${data}/agent/odd.crt`, why: 'is larger than 64 KiB' },
  ]);
  expect(certificates).toHaveLength(serverLeaves.length + agentLeaves.length - 1 + 2);
});

test('a folder with too many files, and a file in place of a folder, are named', async () => {
  const { host, write } = aServer();
  const leaf = issue(authorities.client, { commonName: 'x' }).certificate;
  for (let n = 0; n < 70; n += 1) {
    write(`agent/z${n}.crt`, leaf);
  }
  host.files.remove(`${data}/server/tls`);
  write('server/tls', 'x');
  const { damages } = await certificateFiles(host, paths);
  expect(damages.map(({ path, why }) => `${path} ${why.slice(0, 14)}`)).toEqual([
    `${data}/server/tls cannot be read`,
    `${data}/agent has more than `,
  ]);
});

test('only certificate files are read, and an unchanged file only once', async () => {
  const { host, write } = aServer();
  write('server/tls/client-admin.key', 'secret');
  write('agent/client-kubelet.key', 'secret');
  const read: string[] = [];
  const watched = new Proxy(host, {
    get(target, name) {
      if (name === 'readFile') {
        return (path: string) => {
          read.push(path);
          return target.readFile(path);
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await certificateFiles(watched, paths);
  expect(read.filter((path) => !path.endsWith('.crt'))).toEqual([]);
  const { length } = read;
  await certificateFiles(watched, paths);
  expect(read).toHaveLength(length);
  host.advance(1_000);
  write('agent/client-kubelet.crt', 'x');
  expect((await certificateFiles(watched, paths)).damages).toHaveLength(1);
  expect(read.slice(length)).toEqual([`${data}/agent/client-kubelet.crt`]);
});
