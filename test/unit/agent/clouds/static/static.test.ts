import { describe, expect, test } from 'vitest';
import { staticCloud } from '../../../../../src/agent/clouds/static/static.ts';
import { memoryHost, type StartFile } from '../../../../lab/memory-host.ts';

const nothing = { tags: {}, secrets: {}, registries: {} };

function start(settings: object, files: Readonly<Record<string, StartFile>> = {}) {
  return staticCloud({
    host: memoryHost({ files }),
    settings: { ...nothing, ...settings },
    machine: { hostname: 'laptop', address: '192.168.1.20' },
  });
}

describe('the static cloud', () => {
  test.each([
    [
      'its machine id',
      { '/etc/machine-id': 'b08dfa6083e7567a1921a715000001fb\n' },
      'b08dfa6083e7567a1921a715000001fb',
    ],
    ['its host name, without a machine id', {}, 'laptop'],
  ])('identifies a machine without settings by %s', async (_what, files, vmId) => {
    expect(await start({}, files).identity()).toEqual({
      computerName: 'laptop',
      vmId,
      location: 'local',
      address: '192.168.1.20',
      tags: {},
    });
  });

  test.each([
    {
      what: 'a secret without a file',
      name: 'other',
      reason: 'SecretNotFound',
      endedBy: 'person',
      says: /static\.secrets\.other/,
    },
    {
      what: 'a missing file',
      name: 'absent',
      reason: 'SecretNotFound',
      endedBy: 'time',
      says: /\/s\/absent/,
    },
    {
      what: 'a file readable by all users',
      name: 'open',
      reason: 'SecretExposed',
      endedBy: 'person',
      says: /0644.*chmod 600 \/s\/open/,
    },
    {
      what: 'an empty file',
      name: 'empty',
      reason: 'SecretEmpty',
      endedBy: 'person',
      says: /\/s\/empty is empty/,
    },
    {
      what: 'a UTF-16 file',
      name: 'wide',
      reason: 'SecretEmpty',
      endedBy: 'person',
      says: /\/s\/wide has characters.*UTF-16.*Write.*UTF-8/,
    },
    {
      what: 'a secret named like a property of every object',
      name: 'constructor',
      reason: 'SecretNotFound',
      endedBy: 'person',
      says: /static\.secrets\.constructor/,
    },
    {
      what: 'a file of several lines',
      name: 'long',
      reason: 'SecretEmpty',
      endedBy: 'person',
      says: /more than one line/,
    },
  ])('refuses $what', async ({ name, reason, endedBy, says }) => {
    const secrets = Object.fromEntries(
      ['absent', 'open', 'empty', 'long', 'wide'].map((each) => [each, `/s/${each}`]),
    );
    const cloud = start(
      { secrets },
      {
        '/s/open': { content: 'canary', mode: 0o644 },
        '/s/empty': { content: '\n', mode: 0o600 },
        '/s/wide': { content: Buffer.from('canary\r\n', 'utf16le').toString(), mode: 0o600 },
        '/s/long': { content: 'canary\ncanary\n', mode: 0o600 },
      },
    );
    const refused = await cloud.secret(name).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ reason, endedBy, message: expect.stringMatching(says) });
    expect(`${refused}`).not.toContain('canary');
  });

  test('accepts a secret file that its group may read', async () => {
    const cloud = start({ secrets: { a: '/s/a' } }, { '/s/a': { content: 'x', mode: 0o640 } });
    expect((await cloud.secret('a')).reveal()).toBe('x');
  });

  test('returns user name and password of a configured registry, and refuses any other', async () => {
    const cloud = start(
      { registries: { 'a.example': { username: 'ann', passwordFile: '/s/a' } } },
      { '/s/a': { content: 'pw\n', mode: 0o600 } },
    );
    expect(cloud.registryUser('a.example')).toBe('ann');
    expect((await cloud.registryPassword('a.example')).password.reveal()).toBe('pw');
    await expect(cloud.registryPassword('b.example')).rejects.toThrow(/static\.registries\."b\.example"/);
  });
});
