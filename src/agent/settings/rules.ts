import { cloudMisfits } from '../clouds/sections.ts';
import { engineMisfits } from '../gitops/sections.ts';
import { imdsMisfits } from '../parts/network/settings-rules.ts';
import { registryMisfits } from '../parts/registry/settings-rules.ts';
import { addressFamilyMisfits } from './address-families.ts';
import { given, mapAt, type Path } from './path.ts';
import { plainHttpMisfits } from './plain-http.ts';
import type { Problem } from './problem.ts';

/** What does not fit together in settings that may have other faults as well. */
export function misfits(written: unknown): readonly Problem[] {
  return [
    ...controlCharacters(written),
    ...cloudMisfits(written),
    ...agentTokenIsServerToken(written),
    ...loginWithoutProxy(written),
    ...reservedK3sKeys(written),
    ...addressFamilyMisfits(written),
    ...registryMisfits(written),
    ...imdsMisfits(written),
    ...plainHttpMisfits(written),
    ...engineMisfits(written),
  ];
}

/** No setting has a use for them, and each may end up as a line of a unit file, an argument or a terminal's output. */
function controlCharacters(written: unknown, path: Path = []): readonly Problem[] {
  if (typeof written === 'object' && written !== null) {
    return Object.entries(written).flatMap(([key, inner]) =>
      controlCharacters(inner, [...path, Array.isArray(written) ? Number(key) : key]),
    );
  }
  return [path.at(-1), written].some((text) => typeof text === 'string' && /\p{Cc}/u.test(text))
    ? [{ path, message: 'must not hold a line break, a tab or another control character; take it out' }]
    : [];
}

function agentTokenIsServerToken(written: unknown): readonly Problem[] {
  const { secretName, agentSecretName } = mapAt(written, ['joinToken']);
  return given(agentSecretName) && agentSecretName === secretName
    ? [
        {
          path: ['joinToken', 'agentSecretName'],
          message:
            'names the same secret as joinToken.secretName; store an agent token of its own, or leave this out',
        },
      ]
    : [];
}

function loginWithoutProxy(written: unknown): readonly Problem[] {
  const { proxy, proxyCredentialsFile } = mapAt(written, ['network']);
  const message = 'is the login for network.proxy, which is not set; set network.proxy, or leave this out';
  return given(proxyCredentialsFile) && !given(proxy)
    ? [{ path: ['network', 'proxyCredentialsFile'], message }]
    : [];
}

function reservedK3sKeys(written: unknown): readonly Problem[] {
  return Object.keys(mapAt(written, ['k3s', 'config'])).flatMap((key) => {
    const repair = reserved(key.replace(/\+$/, ''));
    return repair ? [{ path: ['k3s', 'config', key], message: repair }] : [];
  });
}

function reserved(key: string): string | undefined {
  if (key.startsWith('image-credential-provider-')) return credentialProvider;
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
  'datastore-endpoint': secret,
  'etcd-s3-access-key': secret,
  'etcd-s3-proxy': secret,
  'etcd-s3-secret-key': secret,
  'etcd-s3-session-token': secret,
  'vpn-auth': secret,
};
