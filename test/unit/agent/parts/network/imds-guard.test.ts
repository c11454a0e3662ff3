import { describe, expect, test } from 'vitest';
import { metadataAddresses } from '../../../../../src/agent/clouds/metadata.ts';
import { renderGuardUnit } from '../../../../../src/agent/parts/network/guard-unit.ts';
import { imdsGuard } from '../../../../../src/agent/parts/network/imds-guard.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../a-node.ts';

const unit = 'slipway-imds-guard.service';
const fresh = async () => false;

test('imdsGuard writes the rules and the unit, then loads and enables the unit, then loads the rules', () => {
  const resources = imdsGuard(aNode('server'), fresh);
  expect(resources.map(({ id }) => id)).toEqual([
    'File//var/lib/slipway/imds-guard.nft',
    `File//etc/systemd/system/${unit}`,
    `UnitLoaded/${unit}`,
    `UnitEnabled/${unit}`,
    'ImdsGuard/rules',
    'ImdsGuard/decision',
  ]);
  expect(new Set(resources.map(({ condition }) => condition))).toEqual(new Set(['ImdsGuard']));
});

test('no fault of the guard blocks a dependant', async () => {
  const host = memoryHost().on({ file: 'systemctl' }, 'LoadState=masked\nActiveState=inactive\n');
  const resources = imdsGuard(aNode('server'), fresh).filter(({ id }) => id !== 'ImdsGuard/decision');
  for (const resource of resources) {
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
    ['for a metadata service on loopback', metadataAt('http://127.0.0.1:8080'), '/', 'leads to 127.0.0.1'],
    [
      'for a metadata service with a host name',
      metadataAt('http://imds.example'),
      '/',
      'leads to imds.example',
    ],
    ['if the root is not /', {}, '/tmp/lab', "the network is the machine's own"],
  ] as const)('%s', async (_, changes, root, message) => {
    const node = aNode('server', { root });
    const resources = imdsGuard({ ...node, settings: { ...node.settings, ...changes } }, fresh);
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

describe('a cloud whose settings name no address to guard', () => {
  const node = aNode('agent');
  const files = [node.paths.slipway.imdsGuard, '/etc/systemd/system/slipway-imds-guard.service'];

  function guard(changes: object = {}) {
    return imdsGuard({ ...node, settings: { ...node.settings, cloud: 'static', ...changes } }, fresh);
  }

  test.each(files)('keeps an existing guard and reports ImdsGuardKept if %s exists', async (path) => {
    const host = memoryHost({ files: { [path]: '' } });
    for (const changes of [{}, { imds: { pods: 'block', allow: [] } }, { static: { metadata: [] } }]) {
      const [only, ...others] = guard(changes);
      expect(others).toEqual([]);
      expect(only && (await outcome(only, host))).toBe('ImdsGuardKept (person, non-blocking)');
    }
  });

  test('is reported, with the name of the missing setting, on a node without a guard', async () => {
    expect(await guard()[0]?.check(withoutUnit())).toMatchObject({
      state: 'InSync',
      message: expect.stringContaining('name it in static.metadata'),
    });
  });

  test.each([
    ['imds.pods is allow', { imds: { pods: 'allow', allow: [] } }],
    ['all addresses in static.metadata are loopback', { static: { metadata: [{ address: '127.0.0.1' }] } }],
  ])('removes an existing guard if %s', async (_, changes) => {
    const host = memoryHost({ files: { [node.paths.slipway.imdsGuard]: '' } });
    const [only] = guard(changes);
    expect(only && (await outcome(only, host))).toMatch(/^Drifted/);
  });
});

test('imdsGuard recognizes the address of the metadata service in hexadecimal notation', async () => {
  const node = aNode('server', { settings: { azure: { imdsEndpoint: 'http://0xA9FEA9FE/' } } });
  const finding = await imdsGuard(node, fresh)[0]?.check(withoutUnit());
  expect(finding?.state).toBe('Drifted');
});

test('imdsGuard guards the IPv4 address of an IPv4-mapped IPv6 address', async () => {
  const drifts = ['[::ffff:169.254.169.254]', '169.254.169.254'].map(async (address) => {
    const node = aNode('server', { settings: { azure: { imdsEndpoint: `http://${address}` } } });
    const finding = await imdsGuard(node, fresh)[0]?.check(withoutUnit());
    return finding?.state === 'Drifted' ? finding.drift.changes : [];
  });
  const [mapped, plain] = await Promise.all(drifts);
  expect(mapped).not.toEqual([]);
  expect(mapped).toEqual(plain);
});

test('imdsGuard does not guard an IPv4-mapped loopback address', () => {
  const node = aNode('server', { settings: { azure: { imdsEndpoint: 'http://[::ffff:127.0.0.1]' } } });
  expect(imdsGuard(node, fresh).map(({ id }) => id)).toEqual(['ImdsGuard/none']);
});

/** Returns a machine on which the unit of the guard does not exist. */
function withoutUnit() {
  return memoryHost().on({ file: 'systemctl' }, 'LoadState=not-found\nActiveState=inactive\n');
}

test('the unit of the guard loads the rules before K3s starts and again when nftables.service restarts or reloads', () => {
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

describe('a node that served pods before it had a guard', () => {
  const served = async () => true;
  const node = aNode('agent');
  const rules = node.paths.slipway.imdsGuard;

  async function outcomes(changes: object, files: Readonly<Record<string, string>> = {}, state = 'inactive') {
    const settings = { ...node.settings, ...changes };
    const resources = imdsGuard({ ...node, settings }, served);
    const host = memoryHost({ files }).on(
      { file: 'systemctl' },
      `LoadState=not-found\nActiveState=${state}\n`,
    );
    return Promise.all(resources.map((each) => outcome(each, host)));
  }

  test('stays without a guard, and reports ImdsGuardUndecided', async () => {
    expect(await outcomes({})).toEqual([
      ...Array.from({ length: 5 }, () => 'InSync'),
      'ImdsGuardUndecided (person, non-blocking)',
    ]);
  });

  test.each<[string, object, Readonly<Record<string, string>>]>([
    ['imds.pods is block', { imds: { pods: 'block', allow: [] } }, {}],
    ['imds.allow names a client', { imds: { allow: [{ name: 'monitor', uid: 104 }] } }, {}],
    ['the guard was set up and its unit was lost', {}, { [rules]: '' }],
    [
      'the guard was set up and its rules were lost',
      {},
      { '/etc/systemd/system/slipway-imds-guard.service': '' },
    ],
    [
      'the settings name the addresses',
      { cloud: 'static', static: { metadata: [{ address: '169.254.169.254' }] } },
      {},
    ],
  ])('is guarded if %s', async (_, changes, files) => {
    const [ruleset] = await outcomes(changes, files);
    expect(ruleset).toMatch(/^Drifted \(non-blocking\) content/);
  });

  test('is guarded if the guard ran at this boot and all of its files were removed', async () => {
    const [ruleset] = await outcomes({}, {}, 'active');
    expect(ruleset).toMatch(/^Drifted \(non-blocking\) content/);
  });
});

describe('cloud oracle', () => {
  async function destinations(imdsEndpoint: string): Promise<readonly string[]> {
    const node = aNode('agent', { settings: { oracle: { imdsEndpoint } } });
    const [ruleset] = imdsGuard({ ...node, settings: { ...node.settings, cloud: 'oracle' } }, fresh);
    const host = withoutUnit();
    const finding = await ruleset?.check(host);
    await (finding?.state === 'Drifted' && finding.drift.remedy(host));
    const rules = host.files.text(node.paths.slipway.imdsGuard) ?? '';
    return (rules.match(/^\t\tip.*(?= jump)/gm) ?? []).map((line) => line.trim());
  }

  const ipv4 = 'ip daddr 169.254.169.254 tcp dport 80';
  const ipv6 = 'ip6 daddr fd00:c1::a9fe:a9fe tcp dport 80';
  const ofUsers = 'meta skuid != { 0 }';

  test.each([
    ['http://169.254.169.254', [ipv4, ipv6]],
    ['http://[fd00:c1::a9fe:a9fe]', [ipv6, ipv4]],
    ['http://10.0.0.9:8080', ['ip daddr 10.0.0.9 tcp dport 8080', ipv4, ipv6]],
  ])(
    'guards port 80 of both metadata addresses, and also the address and port in imdsEndpoint: %s',
    async (endpoint, guarded) => {
      expect(await destinations(endpoint)).toEqual([
        ...guarded,
        ...guarded.map((destination) => `${destination} ${ofUsers}`),
      ]);
    },
  );

  test('guards nothing if imdsEndpoint is a loopback address', () => {
    const node = aNode('agent', { settings: { oracle: { imdsEndpoint: 'http://127.0.0.1:8080' } } });
    const resources = imdsGuard({ ...node, settings: { ...node.settings, cloud: 'oracle' } }, fresh);
    expect(resources.map(({ id }) => id)).toEqual(['ImdsGuard/none']);
  });

  test('bypasses the proxy only for its default IPv4 address', () => {
    expect(metadataAddresses()).toEqual(['169.254.169.254']);
  });
});

test('cloud static guards the IPv4 and IPv6 addresses in static.metadata, except for loopback', async () => {
  const metadata = [
    { address: '169.254.169.254', port: 80 },
    { address: '169.254.169.253', port: 53, protocol: 'udp' },
    { address: 'FD00:C1:0::A9FE:A9FE' },
    { address: '127.0.0.1' },
  ];
  const node = aNode('agent', { settings: { static: { metadata } } });
  const allow = [{ name: 'backup', from: '10.42.3.0/24' }];
  const settings = { ...node.settings, cloud: 'static', imds: { allow } };
  const [ruleset] = imdsGuard({ ...node, settings }, fresh);
  const host = memoryHost();
  const finding = await ruleset?.check(host);
  await (finding?.state === 'Drifted' && finding.drift.remedy(host));
  const rules = host.files.text(node.paths.slipway.imdsGuard) ?? '';
  expect(rules.match(/^\t\tip.*/gm)?.map((line) => line.trim().replace(/refuse_\w+/, 'refuse'))).toEqual([
    'ip daddr 169.254.169.254 tcp dport 80 ip saddr 10.42.3.0/24 accept comment "backup"',
    'ip daddr 169.254.169.254 tcp dport 80 jump refuse',
    'ip daddr 169.254.169.253 udp dport 53 ip saddr 10.42.3.0/24 accept comment "backup"',
    'ip daddr 169.254.169.253 udp dport 53 jump refuse',
    'ip6 daddr fd00:c1::a9fe:a9fe jump refuse',
    'ip daddr 169.254.169.254 tcp dport 80 meta skuid != { 0 } jump refuse',
    'ip daddr 169.254.169.253 udp dport 53 meta skuid != { 0 } jump refuse',
    'ip6 daddr fd00:c1::a9fe:a9fe meta skuid != { 0 } jump refuse',
  ]);
});
