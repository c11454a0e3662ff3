import { describe, expect, test } from 'vitest';
import { instanceMetadata } from '../../../../../src/agent/clouds/azure/imds.ts';
import type { HttpRequest } from '../../../../../src/agent/engine/host.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const url = 'http://169.254.169.254/metadata/instance?api-version=2021-02-01';

function document(
  changes: { readonly compute?: object; readonly addresses?: readonly (readonly string[])[] } = {},
) {
  const { compute, addresses = [['10.1.0.4']] } = changes;
  return JSON.stringify({
    compute: {
      name: 'web-1',
      vmId: '02aab8a4',
      location: 'westeurope',
      azEnvironment: 'AzurePublicCloud',
      osProfile: { computerName: 'Web1' },
      tags: 'k3s-role:wrong',
      tagsList: [{ name: 'K3s-Role', value: 'server' }],
      ...compute,
    },
    network: {
      interface: addresses.map((each) => ({
        ipv4: { ipAddress: each.map((privateIpAddress) => ({ privateIpAddress })) },
      })),
    },
  });
}

const read = (body: string, host = memoryHost()) =>
  instanceMetadata(host.onGet(url, body), 'http://169.254.169.254/');

describe('instanceMetadata', () => {
  test('reads the tags from tagsList, never from tags', async () => {
    expect(await read(document())).toEqual({
      name: 'web-1',
      isSpot: false,
      azEnvironment: 'AzurePublicCloud',
      identity: {
        computerName: 'Web1',
        vmId: '02aab8a4',
        location: 'westeurope',
        address: '10.1.0.4',
        tags: { 'k3s-role': 'server' },
      },
    });
  });

  test.each([
    ['Spot', true],
    ['Regular', false],
    ['', false],
  ])('knows a Spot VM by its priority: %s', async (priority, isSpot) => {
    expect((await read(document({ compute: { priority } }))).isSpot).toBe(isSpot);
  });

  test('sends its request without a proxy, with the Metadata header and a timeout of five seconds', async () => {
    const asked: HttpRequest[] = [];
    const host = memoryHost().onGet(url, (request) => {
      asked.push(request);
      return document();
    });
    await instanceMetadata(host, 'http://169.254.169.254');
    expect(asked).toMatchObject([{ url, headers: { Metadata: 'true' }, timeout: 5_000, direct: true }]);
  });

  test('returns the resource name as the computer name if the OS profile has none', async () => {
    const { identity } = await read(document({ compute: { osProfile: { computerName: '' }, tagsList: [] } }));
    expect([identity.computerName, identity.tags]).toEqual(['web-1', {}]);
  });

  test.each([
    ['no interface', [], undefined],
    ['an empty address', [['']], undefined],
    ['an invalid address', [['10.1.0.4\nx', 'fd00::1']], undefined],
  ])('returns no address for an answer with %s', async (_what, addresses, expected) => {
    expect((await read(document({ addresses }))).identity.address).toBe(expected);
  });

  test.each([
    [
      'the source of the route to the service',
      '169.254.169.254 via 10.2.0.1 dev eth1 src 10.2.0.4 uid 0 \n',
      '10.2.0.4',
    ],
    [
      'the first address if the source of the route is not in the metadata',
      '169.254.169.254 dev tun0 src 172.16.0.1 uid 0',
      '10.1.0.4',
    ],
    ['the first address if the ip command is missing', { exitCode: 127 }, '10.1.0.4'],
  ])('chooses the primary address among several interfaces: %s', async (_what, answer, expected) => {
    const host = memoryHost().on({ file: 'ip', args: ['-4', 'route', 'get', '169.254.169.254'] }, answer);
    const { identity } = await read(document({ addresses: [['10.1.0.4'], ['10.2.0.4']] }), host);
    expect(identity.address).toBe(expected);
  });

  test.each([
    ['compute.vmId', { vmId: 5 }],
    ['compute.tagsList', { tagsList: {} }],
    ['compute.tagsList.0.name', { tagsList: [{ value: 'canary' }] }],
    ['compute.tagsList.0', { tagsList: [null] }],
    ['compute.tagsList.0.value', { tagsList: [{ name: 'k3s-role', value: 5 }] }],
    ['compute.osProfile', { osProfile: 'canary' }],
    ['network.interface', {}, { interface: {} }],
    ['network.interface.0', {}, { interface: [null] }],
    ['network.interface.0.ipv4.ipAddress', {}, { interface: [{ ipv4: { ipAddress: {} } }] }],
    ['network', {}, 'canary'],
  ])('refuses an answer with an invalid %s', async (place, compute, network: unknown = null) => {
    const body = JSON.stringify({ ...JSON.parse(document({ compute })), network });
    const failure = await read(body).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ reason: 'UnexpectedAnswer', endedBy: 'time' });
    expect(`${failure}`).toContain(` ${place} of its answer`);
    expect(`${failure}`).not.toContain('canary');
  });

  test('accepts an answer without optional fields', async () => {
    const { identity, azEnvironment } = await read('{"compute":{"name":"a","vmId":"b","tagsList":null}}');
    expect({ ...identity, azEnvironment }).toEqual({
      computerName: 'a',
      vmId: 'b',
      location: '',
      address: undefined,
      tags: {},
      azEnvironment: '',
    });
  });
});
