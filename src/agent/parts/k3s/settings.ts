import * as z from 'zod/mini';
import { url } from '../../settings/address-forms.ts';
import { duration, k3sChannel, k3sVersion, longDuration, secretName, words } from '../../settings/forms.ts';
import { about, type SettingsSection } from '../../settings/section.ts';
import { filePath, serverAddress } from './settings-forms.ts';
import { halfIdentity, k3sMisfits, sensitiveOfK3s, sharedToken } from './settings-rules.ts';

const joinTokenSchema = about(
  'The token with which nodes join the cluster.',
  z.strictObject({
    secretName: about('The name of the secret with the server token.', secretName),
    agentSecretName: about(
      'The name of the secret with a separate token for agents, so that agents never see the server token.',
      z.optional(secretName),
    ),
    attempts: about(
      'The number of attempts to read a missing token before the condition JoinToken becomes False.',
      z.int().check(z.positive('must be above zero, such as 30')),
    ),
    interval: about('The time between two attempts.', duration),
    verifyEvery: about(
      'The time between two comparisons of the installed token with the token in the vault.',
      longDuration,
    ),
  }),
);

export const joinToken = {
  schema: joinTokenSchema,
  defaults: { secretName: 'k3s-token', attempts: 30, interval: '10s', verifyEvery: '2h' },
  misfits: sharedToken,
} as const satisfies SettingsSection<typeof joinTokenSchema>;

const datastoreSchema = about(
  'The external datastore of the servers, with k3s.datastore: external.',
  z.strictObject({
    secretName: about(
      'The name of the secret with the endpoint, such as postgres://USER:PASSWORD@HOST:5432/DATABASE.',
      secretName,
    ),
    verifyEvery: about(
      'The time between two comparisons of the endpoint on the server with the endpoint in the vault.',
      longDuration,
    ),
    caFile: about(
      'The absolute path of a PEM file with the CA of the datastore; K3s then accepts only a server with a certificate from this CA.',
      z.optional(filePath),
    ),
    certFile: about(
      'The absolute path of a PEM file with a client certificate for the datastore.',
      z.optional(filePath),
    ),
    keyFile: about('The absolute path of a PEM file with the key of certFile.', z.optional(filePath)),
  }),
);

export const datastore = {
  schema: datastoreSchema,
  defaults: { secretName: 'k3s-datastore', verifyEvery: '2h' },
  misfits: halfIdentity,
} as const satisfies SettingsSection<typeof datastoreSchema>;

const k3sValue = z.union(
  [z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number(), z.boolean()]))],
  'must be text, a number, true or false, or a list of these',
);

const k3sSchema = about(
  'K3s itself.',
  z.strictObject({
    version: about(
      'The K3s release. An open tag k3s-version overrides this setting. With k3s.channel, this default does not apply.',
      z.optional(k3sVersion),
    ),
    channel: about(
      'In place of k3s.version: the channel that names the K3s release, which is stable, latest, testing, or a minor version such as v1.36. Set it on all nodes.',
      z.optional(k3sChannel),
    ),
    channelUrl: about('The URL of the list of channels, or of your copy of this list.', url),
    server: about(
      'The address at which nodes register: a load balancer, a DNS name or a server, as an address or https URL. An agent joins it; with k3s.datastore other than sqlite, the certificate of every server names it. An open tag k3s-server overrides this setting.',
      z.optional(serverAddress),
    ),
    datastore: about(
      'Where servers store the cluster: sqlite (one server), etcd (embedded etcd, for several servers) or external (a database of your own). Set it alike on all servers.',
      z.enum(['sqlite', 'etcd', 'external']),
    ),
    init: about(
      'With k3s.datastore: etcd: whether this server may found the cluster if no other server answers. An open tag k3s-init overrides this setting. Remove it after the first day.',
      z.boolean(),
    ),
    peers: about(
      'With k3s.datastore: etcd: how servers find each other: their addresses, or one DNS name with the addresses of all servers. The list may include this server.',
      z.array(serverAddress),
    ),
    releaseUrl: about('The URL below which Slipway finds K3s releases.', url),
    upgrade: about(
      'What Slipway does if the wanted version differs from the running one: manual reports the difference, auto upgrades K3s.',
      z.enum(['manual', 'auto']),
    ),
    announce: about(
      'Whether Slipway reports the state of this node to the cluster, as annotations of its Node and as events. With false, it writes neither, and existing annotations stay.',
      z.boolean(),
    ),
    config: about(
      "Further keys for K3s's configuration file; the K3s command of the role must know them.",
      z.record(words, k3sValue),
    ),
  }),
);

export const k3s = {
  schema: k3sSchema,
  defaults: {
    version: 'v1.36.3+k3s1',
    datastore: 'sqlite',
    init: false,
    peers: [],
    channelUrl: 'https://update.k3s.io/v1-release/channels',
    releaseUrl: 'https://github.com/k3s-io/k3s/releases/download',
    upgrade: 'manual',
    announce: true,
    config: {},
  },
  replaced: { version: 'channel' },
  misfits: k3sMisfits,
  plainHttp: sensitiveOfK3s,
} as const satisfies SettingsSection<typeof k3sSchema>;
