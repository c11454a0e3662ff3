import { describe, expect, test } from 'vitest';
import { instanceMetadata } from '../../../../../src/agent/clouds/oracle/imds.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { recordingHost } from '../../../../../src/agent/host/recording/recording-host.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';

const imdsEndpoint = 'http://169.254.169.254/';
const vm = {
  id: 'ocid1.instance.oc1.phx.a',
  displayName: 'A server (blue)',
  hostname: 'Server-1',
  region: 'phx',
  canonicalRegionName: 'us-phoenix-1',
  regionInfo: { realmDomainComponent: 'oraclecloud.com' },
};

/** Returns a Host whose metadata service answers with these documents. */
function service(instance: unknown, vnics: unknown = [{ privateIp: '10.0.2.10' }]): MemoryHost {
  return memoryHost()
    .onRequest({ url: `${imdsEndpoint}opc/v2/instance/` }, { body: JSON.stringify(instance) })
    .onRequest({ url: `${imdsEndpoint}opc/v2/vnics/` }, { body: JSON.stringify(vnics) });
}

function read(host: MemoryHost) {
  return instanceMetadata(host, { imdsEndpoint, hostname: 'machine' });
}

describe('the metadata of a VM on Oracle Cloud', () => {
  test('has the full name of the region, and the host name instead of the display name', async () => {
    expect(await read(service(vm))).toEqual({
      place: { region: 'us-phoenix-1', domain: 'oraclecloud.com' },
      identity: {
        computerName: 'Server-1',
        vmId: 'ocid1.instance.oc1.phx.a',
        location: 'us-phoenix-1',
        address: '10.0.2.10',
        tags: {},
      },
    });
  });

  test('is read even in a dry run, because the request contains no secret', async () => {
    const host = recordingHost(service(vm));
    const { identity } = await instanceMetadata(host, { imdsEndpoint, hostname: 'machine' });
    expect([identity.vmId, host.journal]).toEqual(['ocid1.instance.oc1.phx.a', []]);
  });

  test('names the host name of the machine as the computer name if the service reports no host name', async () => {
    const { identity } = await read(service({ ...vm, hostname: null }));
    expect(identity.computerName).toBe('machine');
  });

  test.each([
    ['no interface', [], undefined],
    [
      'only an interface without IPv4',
      [{ ipv6Addresses: ['fd00::1'], subnetCidrBlock: '<null>' }],
      undefined,
    ],
    ['only invalid addresses', [{ privateIp: 7 }, { privateIp: '10.0.2.10\nx' }], undefined],
  ])('has no address if the service lists %s', async (_what, vnics, expected) => {
    expect((await read(service(vm, vnics))).identity.address).toBe(expected);
  });

  test('names the source of the route to the service as the address if the VM has several addresses', async () => {
    const host = service(vm, [{ privateIp: '10.0.3.3' }, { privateIp: '10.0.2.10' }]).on(
      { file: 'ip', args: ['-4', 'route', 'get', '169.254.169.254'] },
      '169.254.169.254 dev ens3 src 10.0.2.10 uid 0\n',
    );
    expect((await read(host)).identity.address).toBe('10.0.2.10');
  });

  test.each([
    ['canonicalRegionName', { canonicalRegionName: 'evil.example/x' }],
    ['canonicalRegionName', { canonicalRegionName: undefined }],
    ['regionInfo.realmDomainComponent', { regionInfo: { realmDomainComponent: 'evil.example/?canary' } }],
    ['regionInfo.realmDomainComponent', { regionInfo: { realmDomainComponent: 'localhost' } }],
    ['id', { id: 5 }],
    ['freeformTags', { freeformTags: [] }],
    ['definedTags.K3s', { definedTags: { K3s: 'canary' } }],
  ])('is refused with an invalid %s: %j', async (place, changes) => {
    const failure = await read(service({ ...vm, ...changes })).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ reason: 'UnexpectedAnswer' });
    expect(`${failure}`).toContain(`${place} is missing`);
    expect(`${failure}`).not.toContain('canary');
  });

  test('is requested without a proxy, with the header of version 2 and a timeout of five seconds', async () => {
    const asked: unknown[] = [];
    const host = memoryHost().onRequest({ url: /opc/ }, ({ headers, direct, timeout }) => {
      asked.push({ headers, direct, timeout });
      return new NodeError('TimedOut', 'no answer');
    });
    await expect(read(host)).rejects.toMatchObject({ reason: 'IdentityUnavailable' });
    expect(asked).toEqual([{ headers: { authorization: 'Bearer Oracle' }, direct: true, timeout: 5_000 }]);
  });
});
