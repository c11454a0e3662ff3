import { describe, expect, test } from 'vitest';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { renderUnit, unit } from '../../../../../../src/agent/parts/k3s/service/unit.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, settle } from '../../../a-node.ts';

const text = `# Written by Slipway; changes go to a drop-in: systemctl edit k3s.service
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/k3s.service.env
KillMode=process
Delegate=yes
User=root
# Having non-zero Limit*s causes performance problems due to accounting overhead
# in the kernel. We recommend using cgroups to do container-local accounting.
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
RuntimeDirectory=slipway-k3s
RuntimeDirectoryMode=0700
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStartPre=-/usr/bin/slipway stamp --root /
ExecStart=/usr/local/bin/k3s server
`;

describe('renderUnit', () => {
  test('renders the unit of a server', () => {
    expect(renderUnit(aNode('server'))).toBe(text);
  });

  test('renders the unit of an agent', () => {
    const agent = text.replaceAll('k3s.service', 'k3s-agent.service').replace('k3s server\n', 'k3s agent\n');
    expect(renderUnit(aNode('observability'))).toBe(agent);
  });

  test('lets systemd refuse to start K3s without the path that it needs', () => {
    const lines = renderUnit(aNode('server'), '/tmp/50% $lab "a"/wal').split('\n');
    expect(lines.filter((line) => !text.split('\n').includes(line) && !line.startsWith('#'))).toEqual([
      'AssertPathExists=/tmp/50%% $lab "a"/wal',
    ]);
    expect(lines.findIndex((line) => line.startsWith('Assert'))).toBeLessThan(lines.indexOf('[Install]'));
  });

  test('escapes special characters in the paths below another root', () => {
    const rendered = renderUnit(aNode('server', { root: '/tmp/50% $lab "a"' }));
    expect(rendered).toContain('EnvironmentFile=-/tmp/50%% $lab "a"/etc/default/%N\n');
    expect(rendered).toContain('ExecStartPre=-/usr/bin/slipway stamp --root "/tmp/50%% $$lab \\"a\\""\n');
    expect(rendered).toMatch(
      /^ExecStart="\/tmp\/50%% .*\/usr\/local\/bin\/k3s" server --config "\/tmp.*config\.yaml"$/m,
    );
  });

  test('sets the proxy, and bypasses it for nodes, pods and services', () => {
    const settings = {
      network: { proxy: 'http://proxy.example.com:3128', noProxy: ['.corp.example.com', '10.0.0.0/8'] },
      k3s: { config: { 'cluster-cidr': '172.30.0.0/16', 'cluster-domain': 'corp.local' } },
    };
    const lines = renderUnit(aNode('agent', { settings, server: 'https://k3s.example.com:6443' })).split(
      '\n',
    );
    expect(lines.filter((line) => line.startsWith('Environment='))).toEqual([
      'Environment=HTTP_PROXY=http://proxy.example.com:3128',
      'Environment=HTTPS_PROXY=http://proxy.example.com:3128',
      'Environment=NO_PROXY=127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.169.254,' +
        '172.30.0.0/16,10.43.0.0/16,.svc,.corp.local,10.0.0.5,k3s.example.com,.corp.example.com',
    ]);
  });
});

test('the unit of a server that has founded its cluster needs etcd on the disk, without a new decision', async () => {
  const record = { format: 1, state: 'member', at: 1 };
  const host = memoryHost({ files: { '/var/lib/slipway/founding.json': JSON.stringify(record) } });
  const [written] = unit(aNode('server', { settings: { k3s: { datastore: 'etcd' } } }), []);
  await settle(written as Resource, host);
  expect(host.files.text('/etc/systemd/system/k3s.service')).toContain(
    '\nAssertPathExists=/var/lib/rancher/k3s/server/db/etcd/member/wal\n',
  );
});

test('unit writes the unit file before it reloads systemd', () => {
  expect(unit(aNode('agent'), ['x']).map(({ id, needs }) => [id, needs])).toEqual([
    ['File//etc/systemd/system/k3s-agent.service', ['x']],
    ['UnitLoaded/k3s-agent.service', ['File//etc/systemd/system/k3s-agent.service']],
  ]);
});
