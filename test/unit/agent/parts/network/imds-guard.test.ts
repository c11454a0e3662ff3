import { describe, expect, test } from 'vitest';
import { renderGuardUnit } from '../../../../../src/agent/parts/network/guard-unit.ts';
import { imdsGuard } from '../../../../../src/agent/parts/network/imds-guard.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../a-node.ts';

const unit = 'slipway-imds-guard.service';

test('the guard writes rules and unit, then loads and enables the unit, then verifies the rules', () => {
  const resources = imdsGuard(aNode('server'));
  expect(resources.map(({ id }) => id)).toEqual([
    'File//var/lib/slipway/imds-guard.nft',
    `File//etc/systemd/system/${unit}`,
    `UnitLoaded/${unit}`,
    `UnitEnabled/${unit}`,
    'ImdsGuard/rules',
  ]);
  expect(new Set(resources.map(({ condition }) => condition))).toEqual(new Set(['ImdsGuard']));
});

test('no fault of the guard blocks a dependant', async () => {
  const host = memoryHost().on({ file: 'systemctl' }, 'LoadState=masked\nActiveState=inactive\n');
  for (const resource of imdsGuard(aNode('server'))) {
    expect(await outcome(resource, host), resource.id).toMatch(/non-blocking/);
  }
});

describe('imdsGuard removes the guard', () => {
  const { settings } = aNode('server');
  test.each([
    [
      'if imds.pods is allow',
      { imds: { ...settings.imds, pods: 'allow' } },
      '/',
      'imds.pods lets every pod ask',
    ],
    [
      'for a cloud without a metadata service',
      { cloud: 'static' },
      '/',
      'cloud static has no metadata service',
    ],
    ['for a metadata service on loopback', metadataAt('http://127.0.0.1:8080'), '/', 'leads to 127.0.0.1'],
    ['for a metadata service under a name', metadataAt('http://imds.example'), '/', 'leads to imds.example'],
    ['below another root', {}, '/tmp/lab', "the network is the machine's own"],
  ] as const)('%s', async (_, changes, root, message) => {
    const node = aNode('server', { root });
    const resources = imdsGuard({ ...node, settings: { ...node.settings, ...changes } });
    expect(resources.map(({ id }) => id)).toEqual(['ImdsGuard/none']);
    expect(await resources[0]?.check(memoryHost())).toMatchObject({
      state: 'InSync',
      message: expect.stringContaining(message),
    });
  });

  function metadataAt(imdsEndpoint: string) {
    return { azure: { ...settings.azure, imdsEndpoint } };
  }
});

test('imdsGuard recognizes the address of the metadata service in any notation', async () => {
  const node = aNode('server', { settings: { azure: { imdsEndpoint: 'http://0xA9FEA9FE/' } } });
  const finding = await imdsGuard(node)[0]?.check(memoryHost());
  expect(finding?.state).toBe('Drifted');
});

test('the unit of the guard loads the rules before K3s and with nftables.service', () => {
  expect(renderGuardUnit(nodePaths('/'))).toBe(`# Written by Slipway
[Unit]
Description=Keep pods from the instance metadata service
ConditionPathExists=/usr/sbin/nft
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Before=k3s.service k3s-agent.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /var/lib/slipway/imds-guard.nft
ExecReload=/usr/sbin/nft -f /var/lib/slipway/imds-guard.nft

[Install]
WantedBy=multi-user.target
`);
});
