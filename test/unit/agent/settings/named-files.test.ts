import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { checkNamedFiles } from '../../../../src/agent/settings/named-files.ts';
import { type MemoryHost, memoryHost } from '../../../lab/memory-host.ts';
import { makeAuthority } from '../../../lab/standins/k3s-certificates.ts';

const own = '/etc/slipway/config.yaml';
const { certificate } = makeAuthority('a-ca');
const damaged = '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n';

/** Returns the error of `checkNamedFiles` for settings with this login file; `undefined` if the file is usable. */
async function loginProblem(file: string, arrange: (host: MemoryHost) => void = () => {}) {
  const host = memoryHost({
    files: { [own]: `network: { proxy: 'https://proxy.example', proxyCredentialsFile: ${file} }` },
  });
  arrange(host);
  const loaded = await load(host, { paths: nodePaths('/') });
  return checkNamedFiles(host, loaded).then(
    () => undefined,
    (thrown) => thrown,
  );
}

async function loadWith(caFile: string, files: Readonly<Record<string, string>>) {
  const host = memoryHost({ files: { [own]: `network: { caFile: ${caFile} }`, ...files } });
  const loaded = await load(host, { paths: nodePaths('/') });
  await checkNamedFiles(host, loaded);
  return loaded;
}

describe('network.caFile', () => {
  test.each([
    ['one certificate', certificate],
    ['several certificates with text between them', `# ours\n${certificate}\n# theirs\n${certificate}`],
  ])('may contain %s', async (_, content) => {
    const { settings } = await loadWith('/ca.pem', { '/ca.pem': content });
    expect(settings.network.caFile).toBe('/ca.pem');
  });

  test.each([
    ['that is missing', '/ca.pem', {}, /names \/ca\.pem, which does not exist; put the CAs there/],
    ['that is empty', '/ca.pem', { '/ca.pem': '' }, /which holds no certificate; put the CAs there as PEM/],
    ['without a certificate', '/ca.pem', { '/ca.pem': 'hunter2' }, /which holds no certificate/],
    [
      'that is damaged',
      '/ca.pem',
      { '/ca.pem': certificate + damaged },
      /whose certificate 2 is damaged; put/,
    ],
    ['that is damaged at its beginning', '/ca.pem', { '/ca.pem': damaged }, /whose certificate 1 is damaged/],
    ['with a relative path', 'ca.pem', { 'ca.pem': certificate }, /must be an absolute path such as/],
  ])('cannot be a file %s', async (_, path, files, message) => {
    const error = await loadWith(path, files).then(
      () => expect.fail(),
      (thrown) => thrown,
    );
    // The check is retried, because the file may appear later.
    expect(error).toMatchObject({ reason: 'InvalidSettings', endedBy: 'time' });
    expect(error.message).toMatch(new RegExp(`^${own}: network\\.caFile: `));
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('hunter2');
  });
});

test.each([
  ['caFile', 'PermissionDenied'],
  ['caFile', 'FileSystemError'],
  ['proxyCredentialsFile', 'FileSystemError'],
] as const)('checkNamedFiles reports an unreadable file of network.%s: %s', async (name, reason) => {
  const host = memoryHost({
    files: { [own]: `network: { proxy: 'https://proxy.example', ${name}: /etc/slipway/named }` },
  });
  const loaded = await load(host, { paths: nodePaths('/') });
  host.readFile = () => Promise.reject(new NodeError(reason, 'Cannot read /etc/slipway/named.'));
  await expect(checkNamedFiles(host, loaded)).rejects.toThrow(
    `${own}: network.${name}: Cannot read /etc/slipway/named.`,
  );
});

describe('network.proxyCredentialsFile', () => {
  const path = '/etc/slipway/proxy';
  const login = 'builder:hunter2\n';

  test.each([
    ['this user', undefined],
    ['root', '0:0'],
    ['root and another group that may not read the file', '0:1000'],
  ])('may be a file with one line user:password that belongs to %s', async (_, owner) => {
    const arrange = ({ files }: MemoryHost) => {
      files.write(path, login, 0o600);
      if (owner !== undefined) {
        files.give(path, owner);
      }
    };
    expect(await loginProblem(path, arrange)).toBeUndefined();
  });

  test('may belong to this user, who is not root, and to a group that may not read it', async () => {
    const arrange = (host: MemoryHost) => {
      const own = { foreignOwner: '1000:27', foreignGroup: 27 };
      const readFile = host.readFile.bind(host);
      const found = { content: login, mode: 0o600, modifiedAt: 0, ...own };
      host.readFile = async (at) => (at === path ? found : readFile(at));
    };
    expect(await loginProblem(path, arrange)).toBeUndefined();
  });

  test('is not checked by a user who may not read the file', async () => {
    const host = memoryHost({
      files: { [own]: `network: { proxy: 'https://proxy.example', proxyCredentialsFile: ${path} }` },
    });
    const loaded = await load(host, { paths: nodePaths('/') });
    host.readFile = () => Promise.reject(new NodeError('PermissionDenied', `Cannot read ${path}.`));
    await checkNamedFiles(host, loaded);
  });

  test.each<[string, string, (host: MemoryHost) => void, RegExp]>([
    ['that is missing', path, () => {}, /does not exist; write the line user:password into it/],
    ['with a relative path', 'proxy', () => {}, /must be an absolute path such as \/etc\/slipway\/proxy/],
    [
      'that its group may read',
      path,
      ({ files }) => files.write(path, login, 0o640),
      /which other users may open; run chmod 600 \/etc\/slipway\/proxy, and consider the password known/,
    ],
    [
      'that users outside its group may read',
      path,
      ({ files }) => files.write(path, login, 0o604),
      /which other users may open/,
    ],
    [
      'of another user',
      path,
      ({ files }) => {
        files.write(path, login, 0o600);
        files.give(path, '1000:1000');
      },
      /which belongs to another user \(uid 1000\); run chown root:root \/etc\/slipway\/proxy, and consider/,
    ],
    [
      'without a password',
      path,
      ({ files }) => files.write(path, 'hunter2\n', 0o600),
      /must hold one line user:password and nothing else/,
    ],
    [
      'of two lines',
      path,
      ({ files }) => files.write(path, login + login, 0o600),
      /must hold one line user:password and nothing else/,
    ],
  ])('cannot be a file %s', async (_, file, arrange, message) => {
    const error = await loginProblem(file, arrange);
    expect(error).toMatchObject({ reason: 'InvalidSettings', endedBy: 'time' });
    expect(error.message).toMatch(new RegExp(`^${own}: network\\.proxyCredentialsFile: `));
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('hunter2');
  });
});

test('checkNamedFiles reports the faults of both files at once', async () => {
  const host = memoryHost({
    files: {
      [own]:
        'network: { proxy: "https://proxy.example", caFile: /ca.pem, proxyCredentialsFile: /etc/slipway/proxy }',
    },
  });
  const loaded = await load(host, { paths: nodePaths('/') });
  await expect(checkNamedFiles(host, loaded)).rejects.toThrow(
    /network\.caFile: .*\n.*network\.proxyCredentialsFile: /,
  );
});
