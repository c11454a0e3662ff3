import { describe, expect, test } from 'vitest';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { type CommandLineSetting, load } from '../../../../src/agent/settings/load.ts';
import { withTags } from '../../../../src/agent/settings/tags.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { problemsOf } from './invalid.ts';

async function tagged(
  tags: Readonly<Record<string, string>>,
  { yaml = '', commandLine = [] as readonly CommandLineSetting[] } = {},
) {
  const host = memoryHost({ files: { '/etc/slipway/config.yaml': yaml } });
  return withTags(await load(host, { paths: nodePaths('/'), commandLine }), tags);
}

describe('withTags', () => {
  test('overrides the files with the tags, and names each as the origin of its setting', async () => {
    const tags = {
      'k3s-role': ' agent ',
      'k3s-server': '10.0.0.4',
      'k3s-version': 'v1.35.1+k3s1',
      team: 'web',
    };
    const { loaded, warnings } = await tagged(tags, { yaml: 'role: server' });
    expect(loaded.settings).toMatchObject({
      role: 'agent',
      k3s: { server: '10.0.0.4', version: 'v1.35.1+k3s1' },
    });
    expect(loaded.origins).toMatchObject({
      role: 'tag k3s-role',
      'k3s.server': 'tag k3s-server',
      'k3s.version': 'tag k3s-version',
    });
    expect(warnings).toEqual([]);
  });

  test.each([
    ['under investigation', 'under investigation'],
    ['true', 'true'],
    ['false', undefined],
    ['False', undefined],
    ['', undefined],
  ])('takes the tag k3s-hold with the value "%s" as the hold %j', async (value, hold) => {
    expect((await tagged({ 'k3s-hold': value })).loaded.settings.maintenance.hold).toBe(hold);
  });

  test('lets the command line override a tag, even an invalid one', async () => {
    const commandLine = [{ option: '--k3s-version', path: 'k3s.version', value: 'v1.34.1+k3s1' }];
    const { loaded } = await tagged({ 'k3s-version': 'nonsense' }, { commandLine });
    expect(loaded.settings.k3s.version).toBe('v1.34.1+k3s1');
    expect(loaded.origins['k3s.version']).toBe('command line --k3s-version');
  });

  test('refuses the tag k3s-version beside a channel in the settings', async () => {
    const refused = tagged(
      { 'k3s-version': 'v1.36.3+k3s1' },
      { yaml: 'role: agent\nk3s: { channel: stable }' },
    );
    await expect(refused).rejects.toThrow('tag k3s-version: k3s.version: is set beside k3s.channel');
  });

  test('ignores a tag that the settings disable with tags.role: false', async () => {
    const { loaded } = await tagged({ 'k3s-role': 'agent' }, { yaml: 'role: server\ntags: { role: false }' });
    expect(loaded.settings.role).toBe('server');
  });

  test('ignores an empty tag', async () => {
    const { loaded } = await tagged({ 'k3s-role': '  ', 'k3s-version': '' }, { yaml: 'role: server' });
    expect(loaded.settings.role).toBe('server');
    expect(loaded.origins['k3s.version']).toBe('default');
  });

  test('drops the setting of a removed tag', async () => {
    const { loaded } = await tagged({ 'k3s-role': 'agent' });
    expect(withTags(loaded, {}).loaded.settings.role).toBeUndefined();
  });
});

test.each([
  [{ 'k3s-version': '1.36' }, 'tag k3s-version: k3s.version: must be a K3s release'],
  [{ 'k3s-server': 'http://10.0.0.4/x' }, 'tag k3s-server: k3s.server: must be a host name'],
])('the error for an invalid tag names the tag: %j', async (tags, beginning) => {
  expect(await problemsOf(() => tagged(tags))).toEqual([expect.stringContaining(beginning)]);
});

test('withTags accepts an unknown role, which a later check refuses', async () => {
  expect((await tagged({ 'k3s-role': 'servr' })).loaded.settings.role).toBe('servr');
});

test('withTags warns about each unknown k3s-* tag', async () => {
  const { warnings } = await tagged({ 'k3s-rol': 'agent', 'k3s-registry-mirror': 'x', k3s: 'x' });
  expect(warnings).toEqual([
    'The tag k3s-rol is not read; did you mean k3s-role?',
    'The tag k3s-registry-mirror is not read; Slipway reads k3s-role, k3s-server, k3s-init, k3s-version, k3s-hold.',
  ]);
});

describe('an impostor of the metadata service', () => {
  test('cannot put a tag of several megabytes into the settings', async () => {
    const hunter2 = 'hunter2'.repeat(500_000);
    const problems = await problemsOf(() => tagged({ 'k3s-role': hunter2, 'k3s-server': hunter2 }));
    const problem = 'is longer than 256 characters; give it a value that an instance tag can have';
    expect(problems).toEqual([`tag k3s-role: ${problem}`, `tag k3s-server: ${problem}`]);
  });

  test('has no effect through a tag that the settings disable', async () => {
    const { loaded } = await tagged({ 'k3s-role': 'x'.repeat(257) }, { yaml: 'tags: { role: false }' });
    expect(loaded.settings.role).toBeUndefined();
  });

  test('has no effect on a setting from the command line', async () => {
    const commandLine = [{ option: '--role', path: 'role', value: 'server' }];
    const { loaded } = await tagged({ 'k3s-role': 'x'.repeat(257) }, { commandLine });
    expect(loaded.settings.role).toBe('server');
  });

  test('causes at most 50 warnings, and none for an overlong tag name', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`k3s-${at}`, '']));
    expect((await tagged(many)).warnings).toHaveLength(50);
    expect((await tagged({ [`k3s-${'x'.repeat(3_000_000)}`]: '' })).warnings).toEqual([]);
  });
});
