import { isIP } from 'node:net';
import { dualStack } from '../../settings/address-families.ts';
import { given, mapAt, type Problem } from '../../settings/path.ts';
import type { SensitiveUrl, Written } from '../../settings/section.ts';

/** Returns the problem of a `joinToken` section that names the same secret for both tokens; empty if it does not. */
export function sharedToken({ secretName, agentSecretName }: Written): readonly Problem[] {
  const message =
    'names the same secret as joinToken.secretName; store an agent token of its own, or leave this out';
  return given(agentSecretName) && agentSecretName === secretName
    ? [{ path: ['agentSecretName'], message }]
    : [];
}

/** Returns the problem of a `datastore` section with a client certificate but no key, or the reverse. */
export function halfIdentity({ certFile, keyFile }: Written): readonly Problem[] {
  const [missing, other] = given(certFile) ? ['keyFile', 'certFile'] : ['certFile', 'keyFile'];
  return given(certFile) === given(keyFile)
    ? []
    : [{ path: [other], message: `needs datastore.${missing} too; set both, or neither` }];
}

/**
 * Returns the problems of the section `k3s`: a release beside a channel, reserved keys in k3s.config, a DNS name
 * beside other peers, and networks of two address families.
 */
export function k3sMisfits(k3s: Written): readonly Problem[] {
  return [
    ...releaseBesideChannel(k3s),
    ...reservedKeysIn(k3s),
    ...ownMembership(k3s),
    ...manyNames(k3s),
    ...dualStack(k3s),
  ];
}

/** Returns the problem of k3s.config with cluster-init beside a datastore with which Slipway sets this key itself. */
function ownMembership({ datastore, config }: Written): readonly Problem[] {
  const isTwice = datastore === 'etcd' && given(mapAt(config, [])['cluster-init']);
  const message = slipways('with k3s.datastore: etcd, Slipway decides which server founds the cluster');
  return isTwice ? [{ path: ['config', 'cluster-init'], message }] : [];
}

function manyNames({ peers }: Written): readonly Problem[] {
  const message = 'has a DNS name beside other entries; list addresses, or one DNS name alone';
  const isMixed = Array.isArray(peers) && peers.length > 1 && peers.some((peer) => isName(String(peer)));
  return isMixed ? [{ path: ['peers'], message }] : [];
}

/** True if the address of a server is a DNS name. */
function isName(server: string): boolean {
  const bare = server.replace('https://', '').replace('/', '');
  const [host = ''] = bare.split(':');
  return !bare.startsWith('[') && isIP(bare) === 0 && isIP(host) === 0;
}

function releaseBesideChannel({ version, channel }: Written): readonly Problem[] {
  const message = 'is set beside k3s.channel, which names the release too; leave one of the two out';
  return given(version) && given(channel) ? [{ path: ['version'], message }] : [];
}

/**
 * Returns the URLs for which plain http is a risk, each with that risk: always the URLs of the releases and the
 * channels, and the endpoint for etcd snapshots if it uses plain http.
 */
export function sensitiveOfK3s({ config }: Written): readonly SensitiveUrl[] {
  return [
    { path: ['releaseUrl'], risk: 'replace K3s, which runs as root' },
    { path: ['channelUrl'], risk: 'choose the K3s release that is installed' },
    ...snapshots(mapAt(config, [])),
  ];
}

/**
 * Returns the endpoint for etcd snapshots, which contain the whole cluster, if etcd-s3-insecure makes it plain http;
 * otherwise empty. etcd-s3-endpoint has no scheme, since K3s adds it (pkg/cli/cmds/server.go, etcd-s3).
 */
function snapshots(config: Written): readonly SensitiveUrl[] {
  if (String(config['etcd-s3-insecure']) !== 'true') {
    return [];
  }
  const address = `http://${config['etcd-s3-endpoint'] ?? 's3.amazonaws.com'}`;
  const risk = 'read the snapshots, which hold every secret of the cluster, and replace what is restored';
  return [{ path: ['config', 'etcd-s3-insecure'], address, risk }];
}

function reservedKeysIn({ config }: Written): readonly Problem[] {
  return Object.keys(mapAt(config, [])).flatMap((key) => {
    const repair = reserved(key.replace(/\+$/, ''));
    return repair ? [{ path: ['config', key], message: repair }] : [];
  });
}

function reserved(key: string): string | undefined {
  if (key.startsWith('image-credential-provider-')) {
    return credentialProvider;
  }
  return Object.hasOwn(reservedKeys, key) ? reservedKeys[key] : undefined;
}

function slipways(what: string, repair = 'leave this out'): string {
  return `is Slipway's own (${what}); ${repair}`;
}

const token = slipways('the token is in a file', 'store it in the vault and set joinToken.secretName');
const agentToken = slipways(
  'the token is in a file',
  'store it in the vault and set joinToken.agentSecretName',
);
const secret =
  'may hold a secret, and settings are printed; put it into a file of mode 0600 in /etc/rancher/k3s/config.yaml.d, which K3s reads too';

const credentialProvider = slipways(
  'kubelet asks it for the logins of registries.servers',
  'leave this out; a provider in its place is named in a file in /etc/rancher/k3s/config.yaml.d',
);

const reservedKeys: Readonly<Record<string, string>> = {
  token,
  'token-file': token,
  'agent-token': agentToken,
  'agent-token-file': agentToken,
  server: slipways('what to join', 'set k3s.server'),
  'node-name': slipways('the node name', 'set node.name'),
  'node-ip': slipways('the node address', 'set node.ip'),
  'node-label': slipways('role and settings are merged', 'set node.labels'),
  'node-taint': slipways('role and settings are merged', 'set node.taints'),
  'private-registry': slipways(
    'the place of registries.yaml',
    'set registries.mirrors and registries.configs',
  ),
  'data-dir': slipways('K3s stays in /var/lib/rancher/k3s'),
  config: slipways('the place of config.yaml'),
  'write-kubeconfig': slipways('the place of the kubeconfig'),
  'with-node-id': slipways('the node name', 'set node.name'),
  log: slipways('the journal has K3s’s log, and K3s reports ready too early with a log file'),
  'disable-agent': slipways('a server is a node as well'),
  'cluster-reset': 'is done once and by hand; see the K3s documentation for k3s server --cluster-reset',
  'cluster-reset-restore-path':
    'is done once and by hand; see the K3s documentation for k3s server --cluster-reset',
  'datastore-endpoint': slipways(
    'it contains a password',
    'set k3s.datastore to external, and store the endpoint in the vault',
  ),
  'etcd-s3-access-key': secret,
  'etcd-s3-proxy': secret,
  'etcd-s3-secret-key': secret,
  'etcd-s3-session-token': secret,
  'vpn-auth': secret,
};
