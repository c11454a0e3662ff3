import { describe, expect, test } from 'vitest';
import { consentAdvice } from '../../../../../src/agent/settings/consents.ts';
import { pathText } from '../../../../../src/agent/settings/path.ts';
import { misfits } from '../../../../../src/agent/settings/rules.ts';

function found(written: unknown): readonly string[] {
  return misfits(written).map(({ path, message }) => `${pathText(path)}: ${message}`);
}

describe('the rules for k3s.config', () => {
  test.each([
    ['token', 'joinToken.secretName'],
    ['token-file', 'joinToken.secretName'],
    ['agent-token', 'joinToken.agentSecretName'],
    ['agent-token-file', 'joinToken.agentSecretName'],
    ['server', 'k3s.server'],
    ['node-name', 'node.name'],
    ['node-ip', 'node.ip'],
    ['node-label', 'node.labels'],
    ['node-label+', 'node.labels'],
    ['node-taint', 'node.taints'],
    ['private-registry', 'registries.mirrors'],
    ['data-dir', 'leave this out'],
    ['config', 'leave this out'],
    ['image-credential-provider-bin-dir', '/etc/rancher/k3s/config.yaml.d'],
    ['image-credential-provider-config', '/etc/rancher/k3s/config.yaml.d'],
    ['datastore-endpoint', 'set k3s.datastore to external'],
    ['etcd-s3-proxy', '/etc/rancher/k3s/config.yaml.d'],
    ['etcd-s3-secret-key', '/etc/rancher/k3s/config.yaml.d'],
    ['cluster-reset', 'by hand'],
  ])('reject %s with advice that contains: %s', (key, repair) => {
    const problems = found({ k3s: { config: { [key]: 'x', disable: ['traefik'] } } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`k3s.config.${key}: `);
    expect(problems[0]).toContain(repair);
  });
});

test.each(['constructor', 'toString', 'node+label', 'node-+label'])(
  'the rules for k3s.config do not reserve the key %s',
  (key) => {
    expect(found({ k3s: { config: { [key]: 'x' } } })).toEqual([]);
  },
);

test.each([
  [
    { datastore: 'etcd', config: { 'cluster-init': true } },
    [/^k3s\.config\.cluster-init: is Slipway's own /],
  ],
  [{ datastore: 'etcd', config: { 'cluster-init': null } }, []],
  [{ datastore: 'etcd' }, []],
  [{ datastore: 'external', config: { 'cluster-init': true } }, []],
  [{ config: { 'cluster-init': true } }, []],
])('the rules for k3s reserve the key cluster-init only with etcd: %j', (k3s, problems) => {
  expect(found({ k3s })).toEqual(problems.map((problem) => expect.stringMatching(problem)));
});

test.each([
  [{ version: 'v1.36.3+k3s1', channel: 'stable' }, [/^k3s\.version: is set beside k3s\.channel/]],
  [{ version: 'v1.36.3+k3s1', channel: null }, []],
  [{ version: 'v1.36.3+k3s1' }, []],
  [{ channel: 'stable' }, []],
])('the rules for k3s reject only a release beside a channel: %j', (k3s, problems) => {
  expect(found({ k3s })).toEqual(problems.map((problem) => expect.stringMatching(problem)));
});

describe('the rules for k3s.peers', () => {
  test.each([
    [['servers.example', '10.0.0.4']],
    [['10.0.0.4', 'https://servers.example:6443/']],
    [['10.0.0.4', 'fd00::5', 'server-1:6443']],
    [['one.example', 'two.example']],
  ])('reject a DNS name beside other entries: %j', (peers) => {
    expect(found({ k3s: { peers } })).toEqual([
      'k3s.peers: has a DNS name beside other entries; list addresses, or one DNS name alone',
    ]);
  });

  test.each([
    [['10.0.0.4', '10.0.0.5:6443']],
    [['10.0.0.4', 'https://10.0.0.5/']],
    [['10.0.0.4', 'https://10.0.0.5:6443/']],
    [['10.0.0.4', 'fd00::5']],
    [['10.0.0.4', '[fd00::5]']],
    [['10.0.0.4', 'https://[fd00::5]:6443']],
    [['servers.example']],
    [[]],
    ['servers.example'],
    [null],
  ])('accept addresses, or one DNS name alone: %j', (peers) => {
    expect(found({ k3s: { peers } })).toEqual([]);
  });
});

test.each([
  [{ certFile: '/a.pem' }, ['datastore.certFile: needs datastore.keyFile too; set both, or neither']],
  [{ keyFile: '/b.pem' }, ['datastore.keyFile: needs datastore.certFile too; set both, or neither']],
  [
    { certFile: null, keyFile: '/b.pem' },
    ['datastore.keyFile: needs datastore.certFile too; set both, or neither'],
  ],
  [{ certFile: '/a.pem', keyFile: '/b.pem' }, []],
  [{}, []],
])(
  'the rules for datastore reject a client certificate and a key without each other: %j',
  (datastore, problems) => {
    expect(found({ datastore })).toEqual(problems);
  },
);

describe('etcd snapshots over http', () => {
  const insecure = { 'etcd-s3': true, 'etcd-s3-insecure': true };

  test.each([
    [{ ...insecure, 'etcd-s3-endpoint': 's3.example:9000' }, 'http://s3.example:9000'],
    [{ 'etcd-s3-insecure': 'true', 'etcd-s3-endpoint': 's3.example' }, 'http://s3.example'],
    [insecure, 'http://s3.amazonaws.com'],
  ])('are refused without consent: %j', (config, url) => {
    const [problem = ''] = found({ k3s: { config } });
    expect(problem).toMatch(/^k3s\.config\.etcd-s3-insecure: is plain http: anyone between this node/);
    expect(problem).toContain(`or ${consentAdvice({ consent: {} }, 'plainHttp', url)}`);
    expect(found({ k3s: { config }, consent: { plainHttp: [url] } })).toEqual([]);
  });

  test.each([
    { ...insecure, 'etcd-s3-endpoint': '127.0.0.1:9000' },
    { ...insecure, 'etcd-s3-insecure': false },
    { 'etcd-s3': true, 'etcd-s3-endpoint': 's3.example' },
  ])('are not reported for the configuration %j', (config) => {
    expect(found({ k3s: { config } })).toEqual([]);
  });
});

test.each([
  [{ secretName: 't', agentSecretName: 't' }, [/^joinToken\.agentSecretName: names the same secret/]],
  [{ secretName: 't', agentSecretName: 'u' }, []],
  [{ secretName: 't' }, []],
  [{}, []],
  [{ secretName: null, agentSecretName: null }, []],
])(
  'the rules for joinToken reject only settings that give both tokens the same secret: %j',
  (joinToken, problems) => {
    expect(found({ joinToken })).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  },
);
