import { describe, expect, test } from 'vitest';
import { noOverrides, unlessOverridden } from '../../../../../../src/agent/parts/k3s/config/overrides.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../../a-node.ts';

const folder = '/etc/rancher/k3s/config.yaml.d';
const units = '/etc/systemd/system';
const start = '[Service]\nExecStart=\nExecStart=/usr/local/bin/k3s server';

type Files = Readonly<Record<string, string>>;

async function told(files: Files, kind: 'server' | 'observability' = 'server'): Promise<string> {
  const resource = noOverrides(aNode(kind), []);
  return resource.check(memoryHost({ files })).then(
    () => 'nothing',
    ({ reason, message, blocks }) => `${reason} ${blocks}: ${message}`,
  );
}

describe('noOverrides', () => {
  test.each<readonly [string, Files, string]>([
    [
      'data-dir',
      { [`${folder}/a.yaml`]: '# mine\ndata-dir: /data\n' },
      `true: data-dir in ${folder}/a.yaml, line 2 `,
    ],
    [
      'node-name',
      { [`${folder}/a.yaml`]: 'node-name: other\n' },
      `false: node-name in ${folder}/a.yaml, line 1 `,
    ],
    ['token-file', { [`${folder}/a.yaml`]: 'v: 1\ntoken-file: /t\n' }, 'false: token-file in'],
    ['node-ip', { [`${folder}/a.yaml`]: 'node-ip+: fd00::5\n' }, 'false: node-ip in'],
    ['server', { [`${folder}/a.yaml`]: 'server: https://10.0.0.9:6443\n' }, 'false: server in'],
    [
      'K3S_URL',
      { [`${units}/k3s.service.env`]: '#x\nK3S_URL="https://10.0.0.9:6443"\n' },
      `false: server in ${units}/k3s.service.env, line 2 `,
    ],
    [
      'K3S_DATA_DIR',
      { '/etc/default/k3s': "K3S_DATA_DIR='/data'\n" },
      'true: data-dir in /etc/default/k3s, line 1 ',
    ],
    [
      'a variable of a unit drop-in',
      { [`${units}/k3s.service.d/a.conf`]: '[Service]\nEnvironment=A=b K3S_DATA_DIR=/data\n' },
      `line 2 `,
    ],
    [
      'an EnvironmentFile of a unit drop-in',
      {
        [`${units}/k3s.service.d/a.conf`]: '[Service]\nEnvironmentFile=/opt/x.env\n',
        '/opt/x.env': 'K3S_DATA_DIR=/data\n',
      },
      'data-dir in /opt/x.env, line 1 ',
    ],
    [
      'an ExecStart in a unit drop-in',
      { [`${units}/k3s.service.d/a.conf`]: `${start} --data-dir /data\n` },
      `true: data-dir in ${units}/k3s.service.d/a.conf, line 3 `,
    ],
    ['cluster-reset', { [`${folder}/a.yaml`]: 'cluster-reset: true\n' }, 'false: cluster-reset in'],
    [
      'K3S_CLUSTER_RESET',
      { [`${units}/k3s.service.env`]: 'K3S_CLUSTER_RESET=true\n' },
      'false: cluster-reset in',
    ],
    [
      "K3S_DATA_DIR in another program's unit",
      {
        [`${units}/k3s.service`]:
          '[Service]\nEnvironment=K3S_DATA_DIR=/data\nExecStart=/usr/local/bin/k3s server\n',
      },
      `true: data-dir in ${units}/k3s.service, line 2 `,
    ],
    [
      'a wrapper script in a unit drop-in',
      { [`${units}/k3s.service.d/a.conf`]: '[Service]\nExecStart=\nExecStart=/opt/start.sh\n' },
      'false: ExecStart in',
    ],
    ['the short name of a flag', { [`${folder}/a.yaml`]: 'd: /data\n' }, 'true: data-dir in'],
    ['a drop-in with a name in capitals', { [`${folder}/A.YAML`]: 'data-dir: /data\n' }, 'true: data-dir in'],
    [
      'a repeated key',
      { [`${folder}/a.yaml`]: 'v: 1\nv: 2\ndata-dir: /var/lib/rancher/k3s\ndata-dir: /data\n' },
      'true: data-dir in',
    ],
    [
      'the first of two YAML documents',
      { [`${folder}/a.yaml`]: 'data-dir: /data\n---\ndata-dir: /x\n' },
      'true: data-dir in',
    ],
    [
      'a value with an unknown YAML tag',
      { [`${folder}/a.yaml`]: 'data-dir: !mine /data\n' },
      'true: data-dir in',
    ],
    ['a boolean of YAML 1.1', { [`${folder}/a.yaml`]: 'cluster-reset: yes\n' }, 'false: cluster-reset in'],
    [
      "data-dir in another program's unit",
      { [`${units}/k3s.service`]: '[Service]\nExecStart=/usr/local/bin/k3s server -d /data\n' },
      'true: data-dir in',
    ],
  ])('names the file and line of an override by %s', async (_name, files, expected) => {
    expect((await told(files)).replace('Another file gives K3s what Slipway relies on: ', '')).toContain(
      expected,
    );
    expect(await told(files)).toMatch(/^K3sOverridden/);
  });

  test('names the file and line of a list that replaces the labels or the taints of the role', async () => {
    const message = await told(
      { [`${folder}/a.yaml`]: 'node-taint: [a=b:NoSchedule]\nnode-label: [c=d]\n' },
      'observability',
    );
    expect(message).toMatch(/node-label in .* line 2 .*node-taint in .* line 1 /);
  });
});

describe('noOverrides', () => {
  test.each<readonly [string, Files]>([
    [
      'keys that Slipway does not rely on',
      { [`${folder}/a.yaml`]: 'tls-san: [a]\ndisable: traefik\nkubelet-arg+: [max-pods=50]\n' },
    ],
    [
      'the values that Slipway sets',
      { [`${folder}/a.yaml`]: 'node-name: vm-1\ndata-dir: /var/lib/rancher/k3s\n' },
    ],
    [
      'additional labels and taints',
      { [`${folder}/a.yaml`]: 'node-label+: [a=b]\nnode-taint+: [a=b:NoSchedule]\n' },
    ],
    [
      'a variable that config.yaml overrides',
      { '/etc/default/k3s': 'K3S_NODE_NAME=other\nK3S_TOKEN_FILE=/t\n' },
    ],
    [
      'limits in a unit drop-in',
      { [`${units}/k3s.service.d/a.conf`]: '[Service]\nMemoryHigh=2G\nEnvironment=K3S_TOKEN=x\n' },
    ],
    [
      'an ExecStart with other flags in a unit drop-in',
      { [`${units}/k3s.service.d/a.conf`]: `${start} --tls-san a\n` },
    ],
    [
      'a unit drop-in that is hidden by one of the same name in an earlier folder',
      {
        '/usr/lib/systemd/system/k3s.service.d/a.conf': '[Service]\nEnvironment=K3S_DATA_DIR=/data\n',
        [`${units}/k3s.service.d/a.conf`]: '[Service]\n',
      },
    ],
    [
      'an ExecStart that a later unit drop-in in another folder replaces',
      {
        [`${units}/k3s.service.d/a.conf`]: `${start} --data-dir /data\n`,
        '/usr/lib/systemd/system/k3s.service.d/b.conf': `${start} --tls-san a\n`,
      },
    ],
  ])('accepts %s', async (_name, files) => {
    expect(await told(files)).toBe('nothing');
  });
});

describe('a drop-in for K3s', () => {
  test.each<readonly [string, string, string]>([
    ['invalid YAML', 'v: 1\n{', 'line 2, column 2: '],
    ['a list', '- data-dir', 'line 1, column 1: must be a map of keys and values'],
    ['UTF-16', 'd\0:\0 \0/\0x\0', 'line 1: holds bytes that are not text; save it as UTF-8'],
    [
      'a file that is too large',
      `#${'x'.repeat(1_048_576)}\ndata-dir: /data`,
      'line 1, column 1: the text is longer',
    ],
  ])('that cannot be read is reported with its path and line: %s', async (_name, content, expected) => {
    const message = await told({ [`${folder}/a.yaml`]: content });
    expect(message).toMatch(/^K3sConfigInvalid false: /);
    expect(message).toContain(`${folder}/a.yaml: ${expected}`);
  });

  test('that cannot be read prevents Slipway from starting K3s', async () => {
    const host = memoryHost({ files: { [`${folder}/a.yaml`]: '{' } });
    const drifted = {
      id: 'Service/k3s',
      summary: '',
      condition: 'K3sRunning' as const,
      check: async () => ({ state: 'Drifted' as const, drift: { changes: [], remedy: async () => {} } }),
    };
    expect(await outcome(unlessOverridden(aNode('server'), drifted), host)).toBe('Waiting K3sConfigInvalid');
  });

  test.each([
    ['has only a comment', '# nothing'],
    ['is empty', ''],
    ['has merge keys, which K3s ignores', 'a: &a {data-dir: /data}\n<<: *a\n'],
    ['has a byte order mark and CRLF', '\uFEFFv: 1\r\ndebug: true\r\n'],
  ])('is accepted if it %s', async (_name, content) => {
    expect(await told({ [`${folder}/a.yaml`]: content })).toBe('nothing');
  });
});

test('while an override exists, unlessOverridden holds back starts and restarts of K3s, but still checks a running K3s', async () => {
  const host = memoryHost({ files: { [`${folder}/a.yaml`]: 'node-name: other\n' } });
  const service = (state: 'InSync' | 'Drifted', blocks = true) => ({
    id: 'Service/k3s',
    summary: '',
    condition: 'K3sRunning' as const,
    check: async () =>
      state === 'InSync' ? { state } : { state, drift: { changes: [], blocks, remedy: async () => {} } },
  });
  expect(await outcome(unlessOverridden(aNode('server'), service('Drifted')), host)).toBe(
    'Waiting K3sOverridden',
  );
  expect(await outcome(unlessOverridden(aNode('server'), service('InSync')), host)).toBe('InSync');
  const restart = await unlessOverridden(aNode('server'), service('Drifted', false)).check(host);
  expect(restart).toMatchObject({ state: 'Waiting', reason: 'K3sOverridden', blocks: false });
});
