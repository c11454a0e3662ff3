import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../../../../../src/agent/host/recording/recording-host.ts';
import { endpointFile } from '../../../../../../src/agent/parts/k3s/config/endpoint-file.ts';
import { noteStart, startedWith } from '../../../../../../src/agent/parts/k3s/config/started-with.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { FakeCloud } from '../../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, failure, outcome, settle } from '../../../a-node.ts';

const paths = nodePaths('/');
const path = '/etc/rancher/k3s/config.yaml.d/10-slipway-datastore.yaml';
const endpoint = 'postgres://k3s:swordfish@db.example.com/k3s';
const hour = 3_600_000;

const cloudWith = (text: string) => new FakeCloud({ secrets: { 'k3s-datastore': text } });

interface Server {
  readonly datastore?: object;
  readonly consent?: readonly string[];
  readonly kind?: 'sqlite' | 'external';
}

function aServer({ datastore = {}, consent = [], kind = 'external' }: Server = {}) {
  return aNode('server', {
    settings: { k3s: { datastore: kind }, datastore, consent: { settings: consent } },
  });
}

/** Returns the machine of a server whose K3s has started with this endpoint. */
async function living(text = endpoint): Promise<MemoryHost> {
  const host = memoryHost({ files: { '/etc/systemd/system/k3s.service': '# Written by Slipway' } });
  await settle(endpointFile(aServer(), cloudWith(text), []), host);
  host.files.write(paths.k3s.serverToken, 'K10a::server:x', 0o600);
  await noteStart(host, paths);
  return host;
}

/** Returns the error with which the remedy fails. */
async function refusal(text: string, host = memoryHost(), server = aServer()): Promise<Error> {
  const finding = await endpointFile(server, cloudWith(text), []).check(host);
  const remedy = finding.state === 'Drifted' ? finding.drift.remedy(host) : Promise.resolve();
  return remedy.then(
    () => expect.fail('the remedy works'),
    (thrown) => thrown,
  );
}

describe('endpointFile on a server with an external datastore', () => {
  test('writes the endpoint for K3s, and shows it nowhere', async () => {
    const host = memoryHost();
    const resource = endpointFile(aServer(), cloudWith(` ${endpoint}\n`), []);
    expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
    expect(await host.readFile(path)).toMatchObject({ mode: 0o600 });
    expect(host.files.text(path)).toContain(`datastore-endpoint: "${endpoint}"\n`);
    expect(JSON.stringify(host.journal)).not.toContain('swordfish');
  });

  test('writes only a placeholder in a dry run', async () => {
    const cloud = cloudWith(endpoint);
    const recording = recordingHost(memoryHost());
    const resource = endpointFile(aServer(), cloud, []);
    const finding = await resource.check(recording);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(recording);
    }
    expect(await resource.check(recording)).toMatchObject({ state: 'InSync' });
    expect(cloud.calls).toEqual([]);
  });

  test('gives K3s the certificate files of the settings, which must exist', async () => {
    const datastore = { caFile: '/ca.pem', certFile: '/cert.pem', keyFile: '/key.pem' };
    const host = memoryHost({ files: { '/ca.pem': '', '/cert.pem': '' } });
    const resource = endpointFile(aServer({ datastore }), cloudWith(endpoint), []);
    expect(await settle(resource, host)).toEqual(['Drifted file', 'DatastoreInvalid (person)']);
    host.files.write('/key.pem', '');
    expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
    expect(host.files.text(path)).toContain('datastore-keyfile: "/key.pem"\n');
    host.files.remove('/ca.pem');
    expect(await outcome(resource, host)).toBe('DatastoreInvalid (person)');
    host.files.write('/ca.pem', '');
    const without = endpointFile(aServer(), cloudWith(endpoint), []);
    expect(await settle(without, host)).toEqual([
      'Drifted datastore-cafile, datastore-certfile, datastore-keyfile',
      'InSync',
    ]);
  });

  test('takes a new password over once the next comparison is due', async () => {
    const host = await living();
    const cloud = cloudWith(endpoint.replace('swordfish', 'newer'));
    const resource = endpointFile(aServer(), cloud, []);
    expect(await outcome(resource, host)).toBe('InSync');
    host.advance(2 * hour);
    expect(await settle(resource, host)).toEqual([
      'Drifted (non-blocking) compared with the vault',
      'InSync',
    ]);
    expect(host.files.text(path)).toContain('newer');
  });

  test.each([
    ['is missing', (host: MemoryHost) => host.files.remove(path), 'file'],
    ['is readable by others', (host: MemoryHost) => host.files.write(path, 'x', 0o644), 'mode'],
    ['has no endpoint', (host: MemoryHost) => host.files.write(path, 'a: b\n', 0o600), 'endpoint'],
    ['is not YAML', (host: MemoryHost) => host.files.write(path, '{', 0o600), 'endpoint'],
  ])('writes the file again if it %s', async (_, damage, field) => {
    const host = await living();
    damage(host);
    const resource = endpointFile(aServer(), cloudWith(endpoint), []);
    expect(await settle(resource, host)).toEqual([`Drifted ${field}`, 'InSync']);
    expect(host.files.text(path)).toContain(endpoint);
  });

  test.each([
    ['sqlite:///x', 'set k3s.datastore to sqlite'],
    ['postgres://k3s:can/ary@db/k3s', 'percent-encoding'],
    ['swordfish', 'does not begin with a scheme'],
  ])('refuses the secret %s, and quotes nothing of it', async (text, clause) => {
    const error = await refusal(text);
    expect(failure(error)).toBe('DatastoreInvalid (person)');
    expect(error.message).toContain('The secret k3s-datastore is not an endpoint');
    expect(error.message).toContain(clause);
    expect(error.message).not.toMatch(/ary@|swordfish/);
  });
});

describe('endpointFile on a server with a cluster', () => {
  const moved = 'postgres://k3s:swordfish@db2.example.com/k3s';

  test('keeps its endpoint if the vault names another database, until that has consent', async () => {
    const host = await living();
    host.advance(2 * hour);
    const error = await refusal(moved, host);
    expect(failure(error)).toBe('SettingsIrreversible (person, non-blocking)');
    expect(host.files.text(path)).toContain(endpoint);
    const [subject = ''] = /datastore-endpoint=sha256:[0-9a-f]{12}/.exec(error.message) ?? [];
    const consenting = endpointFile(aServer({ consent: [subject] }), cloudWith(moved), []);
    expect(await settle(consenting, host)).toEqual([
      'Drifted (non-blocking) compared with the vault',
      'InSync',
    ]);
    expect(host.files.text(path)).toContain(moved);
  });

  test('refuses another database although the file is lost', async () => {
    const host = await living();
    host.files.remove(path);
    expect(failure(await refusal(moved, host))).toBe('SettingsIrreversible (person, non-blocking)');
  });

  test('writes the endpoint again after a start without it', async () => {
    const host = await living();
    host.files.remove(path);
    await noteStart(host, paths);
    host.files.write(`${paths.k3s.datastore}/state.db`, '');
    const resource = endpointFile(aServer(), cloudWith(endpoint), []);
    expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
    host.files.remove(path);
    expect(failure(await refusal(moved, host))).toContain('SettingsIrreversible');
  });

  test('defends the database that the cluster moved to, not the former one, after starts without an endpoint', async () => {
    const host = await living();
    host.advance(2 * hour);
    const [subject = ''] =
      /datastore-endpoint=sha256:[0-9a-f]{12}/.exec((await refusal(moved, host)).message) ?? [];
    await settle(endpointFile(aServer({ consent: [subject] }), cloudWith(moved), []), host);
    await noteStart(host, paths);
    host.files.remove(path);
    for (let start = 0; start < 2; start += 1) {
      await noteStart(host, paths);
      expect(failure(await refusal(endpoint, host))).toContain('SettingsIrreversible');
    }
    const resource = endpointFile(aServer(), cloudWith(moved), []);
    expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
    expect(host.files.text(path)).toContain(moved);
  });

  test('forgets the endpoint of an earlier cluster at a start before the next one exists', async () => {
    const host = await living();
    host.files.remove(path);
    host.files.remove(paths.k3s.serverToken);
    await noteStart(host, paths);
    host.files.write(paths.k3s.serverToken, 'K10b::server:y', 0o600);
    await noteStart(host, paths);
    expect(await startedWith(host, paths)).toEqual({ first: {}, last: {} });
  });

  test.each(['state.db', 'etcd/member/wal'])(
    'does not move a cluster from its own disk (%s) to an external datastore',
    async (name) => {
      const host = memoryHost({ files: { [`${paths.k3s.datastore}/${name}`]: '' } });
      host.files.write(paths.k3s.serverToken, 'K10a::server:x', 0o600);
      host.files.write(paths.k3s.config, '', 0o600);
      const error = await refusal(endpoint, host);
      expect(failure(error)).toBe('SettingsIrreversible (person, non-blocking)');
      expect(host.files.read(path)).toBeUndefined();
    },
  );

  test('does not move a cluster from an external datastore to the disk', async () => {
    const host = await living();
    const resource = endpointFile(aServer({ kind: 'sqlite' }), cloudWith(endpoint), []);
    expect(await outcome(resource, host)).toBe('SettingsIrreversible (person, non-blocking)');
    expect(host.files.read(path)).toBeDefined();
  });
});

test.each([
  ['an agent', aNode('agent', { settings: { k3s: { datastore: 'external' } } })],
  ['a server without a cluster and without an external datastore', aServer({ kind: 'sqlite' })],
])('endpointFile removes the file from %s', async (_, node) => {
  const host = memoryHost({ files: { [path]: `datastore-endpoint: ${endpoint}\n` } });
  const resource = endpointFile(node, cloudWith(endpoint), []);
  expect(await settle(resource, host)).toEqual([`Drifted ${path}`, 'InSync']);
  expect(host.files.read(path)).toBeUndefined();
});
