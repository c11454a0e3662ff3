import { describe, expect, test } from 'vitest';
import type { InterfaceAddress } from '../../../../../src/agent/clouds/driver.ts';
import { staticSettings } from '../../../../../src/agent/clouds/static/settings.ts';
import { staticCloud } from '../../../../../src/agent/clouds/static/static.ts';
import { memoryHost, type StartFile } from '../../../../lab/memory-host.ts';

const uuid = '4C4C4544-0051-3010-8052-B4C04F4E3132';
const nothing = { tags: {}, secrets: {}, registries: {} };

const credentials = '/run/credentials/slipway.service';

const addresses: readonly InterfaceAddress[] = [
  { interface: 'eth0', address: '203.0.113.7', hasDefaultRoute: true },
  { interface: 'eth0', address: '2001:db8::7' },
  { interface: 'enp7s0', address: '10.0.0.3' },
  { interface: 'wg0', address: '10.8.0.1' },
  { interface: 'wg0', address: '10.8.1.1' },
];

function start(settings: object, files: Readonly<Record<string, StartFile>> = {}, current = addresses) {
  return staticCloud({
    host: memoryHost({ files }),
    settings: { ...nothing, ...settings },
    machine: { hostname: 'laptop', addresses: () => current, credentials },
  });
}

/** The addresses of a machine without a default route. */
const withoutRoute = addresses.map(({ hasDefaultRoute: _, ...rest }) => rest);

describe('the static cloud', () => {
  test.each([
    [
      'its machine id',
      { '/etc/machine-id': 'b08dfa6083e7567a1921a715000001fb\n' },
      'b08dfa6083e7567a1921a715000001fb',
    ],
    [
      'the UUID of the firmware rather than its machine id',
      { '/sys/class/dmi/id/product_uuid': `${uuid}\n`, '/etc/machine-id': 'b08d\n' },
      '4c4c4544-0051-3010-8052-b4c04f4e3132',
    ],
    [
      'its machine id, in a container',
      {
        '/sys/class/dmi/id/product_uuid': uuid,
        '/etc/machine-id': 'b08d\n',
        '/run/systemd/container': 'lxc\n',
      },
      'b08d',
    ],
    ['its host name, without a machine id', {}, 'laptop'],
  ])('identifies a machine without settings by %s', async (_what, files, vmId) => {
    expect(await start({}, files).identity()).toEqual({
      computerName: 'laptop',
      vmId,
      location: 'local',
      address: '203.0.113.7',
      tags: {},
    });
  });

  test.each(['00000000-0000-0000-0000-000000000000', '03000200-0400-0500-0006-000700080009', 'Not Settable'])(
    'identifies a machine by its machine id if the UUID of the firmware is "%s"',
    async (filler) => {
      const files = { '/sys/class/dmi/id/product_uuid': filler, '/etc/machine-id': 'b08d\n' };
      expect(await start({}, files).identity()).toMatchObject({ vmId: 'b08d' });
    },
  );

  test.each([
    ['a given address', '198.51.100.1', { address: '198.51.100.1' }],
    ['a range', '10.0.0.0/24', { address: '10.0.0.3', interface: 'enp7s0' }],
    ['an IPv6 range', '2001:db8::/64', { address: '2001:db8::7', interface: 'eth0' }],
    ['an interface with one IPv4 address', 'interface:eth0', { address: '203.0.113.7', interface: 'eth0' }],
    ['the default route', 'default-route', { address: '203.0.113.7' }],
  ])('takes the address of the machine from %s', async (_what, address, found) => {
    expect(await start({ address }).identity()).toMatchObject(found);
  });

  test.each([
    [
      '10.1.0.0/16',
      'time',
      'No address of this machine fits static.address (10.1.0.0/16); it has 203.0.113.7 (eth0), ',
    ],
    [
      'interface:ens10',
      'time',
      'No address of this machine fits static.address (interface:ens10); it has 203.',
    ],
    [
      '10.0.0.0/8',
      'person',
      '(10.0.0.0/8): 10.0.0.3 (enp7s0), 10.8.0.1 (wg0), 10.8.1.1 (wg0). Set static.address',
    ],
    [
      'interface:wg0',
      'person',
      'Several addresses of this machine fit static.address (interface:wg0): 10.8.0.1',
    ],
  ])(
    'reports NodeAddressUnknown unless exactly one address of the machine matches %s',
    async (address, endedBy, message) => {
      const { address: found, addressFault } = await start({ address }).identity();
      expect(found).toBeUndefined();
      expect(addressFault).toMatchObject({
        reason: 'NodeAddressUnknown',
        endedBy,
        message: expect.stringContaining(message),
      });
    },
  );

  test.each([
    ['without a default route', withoutRoute],
    ['without an IPv4 address', addresses.filter(({ address }) => address.includes(':'))],
    ['without any address', []],
  ])('reports that default-route selects no address on a machine %s', async (_what, current) => {
    const { address, addressFault } = await start({ address: 'default-route' }, {}, current).identity();
    expect(address).toBeUndefined();
    expect(addressFault).toMatchObject({
      reason: 'NodeAddressUnknown',
      endedBy: 'time',
      message: expect.stringMatching(/no IPv4 default route.*static\.address \(default-route\)/),
    });
  });

  test.each([
    ['none of several IPv4 addresses', withoutRoute, undefined],
    ['the only IPv4 address of the machine', withoutRoute.slice(0, 2), '203.0.113.7'],
  ])('without static.address and a default route, takes %s', async (_what, current, found) => {
    const { address, addressFault } = await start({}, {}, current).identity();
    expect(address).toBe(found);
    expect(addressFault?.message).toEqual(found ? undefined : expect.stringContaining('Set static.address'));
  });

  test('reads the addresses of the machine again at each request', async () => {
    const current: InterfaceAddress[] = [];
    const cloud = start({}, {}, current);
    expect((await cloud.identity()).address).toBeUndefined();
    current.push(...addresses);
    expect((await cloud.identity()).address).toBe('203.0.113.7');
  });

  test('takes the external address from static.externalAddress, and names that setting if no address matches', async () => {
    const identity = await start({ address: '10.0.0.0/24', externalAddress: 'interface:eth0' }).identity();
    expect(identity).toMatchObject({ address: '10.0.0.3', externalAddress: '203.0.113.7' });
    const unfit = await start({ externalAddress: '192.0.2.0/24' }).identity();
    expect([unfit.address, unfit.externalAddress]).toEqual(['203.0.113.7', undefined]);
    expect(unfit.externalAddressFault?.message).toContain('static.externalAddress (192.0.2.0/24)');
  });

  test.each(['10.0.0.0/33', 'interface:', 'interface:a b', 'eth0', 'interface:-x', ''])(
    'rejects "%s" as static.address',
    (address) => {
      expect(staticSettings.schema.safeParse({ ...nothing, address }).success).toBe(false);
    },
  );

  test.each([
    {
      what: 'a secret for which the settings name no file',
      name: 'other',
      reason: 'SecretNotFound',
      endedBy: 'person',
      says: /static\.secrets\.other/,
    },
    {
      what: 'a missing secret file',
      name: 'absent',
      reason: 'SecretNotFound',
      endedBy: 'time',
      says: /\/s\/absent/,
    },
    {
      what: 'a secret file that all users may read',
      name: 'open',
      reason: 'SecretExposed',
      endedBy: 'person',
      says: /0644.*chmod 600 \/s\/open/,
    },
    {
      what: 'an empty secret file',
      name: 'empty',
      reason: 'SecretEmpty',
      endedBy: 'person',
      says: /\/s\/empty is empty/,
    },
    {
      what: 'a secret file in UTF-16',
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
      what: 'a secret file with several lines',
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

  test('reads secrets and passwords from systemd credentials', async () => {
    const cloud = start(
      {
        secrets: { 'k3s-token': 'credential:k3s-token' },
        registries: { 'a.example': { username: 'ann', passwordFile: 'credential:a.example' } },
      },
      {
        [`${credentials}/k3s-token`]: { content: 'token\n', mode: 0o400 },
        [`${credentials}/a.example`]: { content: 'pw\n', mode: 0o440 },
      },
    );
    expect((await cloud.secret('k3s-token')).reveal()).toBe('token');
    expect(await cloud.secretVersion('k3s-token')).toMatch(/^[0-9a-f]{64}$/);
    expect((await cloud.registryPassword('a.example')).password.reveal()).toBe('pw');
  });

  test.each([
    [
      'a missing credential',
      {},
      'SecretNotFound',
      /credential token.*not at \/run.*LoadCredential=token:FILE.*restart/,
    ],
    [
      'a credential that every user may read',
      { content: 'canary', mode: 0o444 },
      'SecretExposed',
      /mode 0444.*systemctl restart slipway/,
    ],
    [
      'a credential with an unfilled template variable',
      { content: '$' + '{k3s_token}\n', mode: 0o400 },
      'SecretEmpty',
      /template variable/,
    ],
  ])('refuses %s', async (_what, file, reason, says) => {
    const files = 'content' in file ? { [`${credentials}/token`]: file } : {};
    const cloud = start({ secrets: { a: 'credential:token' } }, files);
    const refused = await cloud.secret('a').catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ reason, endedBy: 'person', message: expect.stringMatching(says) });
    expect(`${refused}`).not.toContain('canary');
  });

  test('refuses a credential that another user owns', async () => {
    const path = `${credentials}/token`;
    const host = memoryHost({ files: { [path]: { content: 'canary', mode: 0o400 } } });
    host.files.give(path, '1000:1000');
    const settings = { ...nothing, secrets: { a: 'credential:token' } };
    const machine = { hostname: 'laptop', addresses: () => [], credentials };
    await expect(staticCloud({ host, settings, machine }).secret('a')).rejects.toMatchObject({
      reason: 'SecretExposed',
      message: expect.stringMatching(/belongs to another user \(uid 1000\).*systemctl restart slipway/),
    });
  });

  test.each(['credential:', 'credential:..', 'credential:a/b', 'credential:a b', ''])(
    'rejects "%s" as the place of a secret',
    (place) => {
      expect(staticSettings.schema.safeParse({ ...nothing, secrets: { a: place } }).success).toBe(false);
    },
  );

  test('returns the user name and password of a configured registry, and refuses any other registry', async () => {
    const cloud = start(
      { registries: { 'a.example': { username: 'ann', passwordFile: '/s/a' } } },
      { '/s/a': { content: 'pw\n', mode: 0o600 } },
    );
    expect(cloud.registryUser('a.example')).toBe('ann');
    expect((await cloud.registryPassword('a.example')).password.reveal()).toBe('pw');
    await expect(cloud.registryPassword('b.example')).rejects.toThrow(/static\.registries\."b\.example"/);
  });
});

test('the static cloud has no version for a secret that every user may read', async () => {
  const version = (mode: number) =>
    start({ secrets: { token: '/token' } }, { '/token': { content: 'canary', mode } }).secretVersion('token');
  expect(await version(0o600)).toMatch(/^[0-9a-f]{64}$/);
  expect(await version(0o644)).toBeUndefined();
});
