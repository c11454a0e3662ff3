import { describe, expect, test } from 'vitest';
import { load } from '../../../../src/agent/config/load.ts';
import { checkNamedFiles } from '../../../../src/agent/config/named-files.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { makeAuthority } from '../../../lab/standins/k3s-certificates.ts';

const own = '/etc/slipway/config.yaml';
const { certificate } = makeAuthority('a-ca');
const damaged = '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n';

async function loadWith(caFile: string, files: Readonly<Record<string, string>>) {
  const host = memoryHost({ files: { [own]: `network: { caFile: ${caFile} }`, ...files } });
  const loaded = await load(host, { paths: nodePaths('/') });
  await checkNamedFiles(host, loaded);
  return loaded;
}

describe('network.caFile', () => {
  test.each([
    ['one certificate', certificate],
    ['several, and words between them', `# ours\n${certificate}\n# theirs\n${certificate}`],
  ])('may hold %s', async (_, content) => {
    const { settings } = await loadWith('/ca.pem', { '/ca.pem': content });
    expect(settings.network.caFile).toBe('/ca.pem');
  });

  test.each([
    ['that is not there', '/ca.pem', {}, /names \/ca\.pem, which does not exist; put the CAs there/],
    ['that is empty', '/ca.pem', { '/ca.pem': '' }, /which holds no certificate; put the CAs there as PEM/],
    ['of something else', '/ca.pem', { '/ca.pem': 'hunter2' }, /which holds no certificate/],
    [
      'that is damaged',
      '/ca.pem',
      { '/ca.pem': certificate + damaged },
      /whose certificate 2 is damaged; put/,
    ],
    ['of a relative path', 'ca.pem', { 'ca.pem': certificate }, /must be an absolute path such as/],
  ])('cannot be a file %s', async (_, path, files, message) => {
    const error = await loadWith(path, files).then(
      () => expect.fail(),
      (thrown) => thrown,
    );
    // It may come a moment later.
    expect(error).toMatchObject({ reason: 'InvalidSettings', retry: { pace: 'soon' } });
    expect(error.message).toMatch(new RegExp(`^${own}: network\\.caFile: `));
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('hunter2');
  });
});
