import { join } from 'node:path';
import { hintsOf } from '../../clouds/chosen.ts';
import { fallbackCloud } from '../../clouds/index.ts';
import type { Part } from '../part.ts';
import { certificateProbes } from './certificates/probes.ts';
import { copyProbes } from './datastore/copy-probe.ts';
import { datastoreProbes } from './datastore-probe.ts';
import { firewallProbe } from './firewall.ts';
import { agentTokenPath } from './membership/token-paths.ts';
import { peersProbe } from './peers.ts';
import { portProbes } from './ports.ts';
import {
  certificateReasons,
  clusterReasons,
  datastoreReasons,
  firewallReasons,
  k3sReasons,
  serverReasons,
  tokenReasons,
} from './reasons.ts';
import { accessInputs, programInputs } from './service/start-inputs.ts';
import { datastore, joinToken, k3s } from './settings.ts';
import { scriptPaths } from './teardown/scripts.ts';
import { k3sUnits } from './teardown/teardown.ts';
import { channelProbes } from './upgrade/channel/probes.ts';
import { linkPaths } from './upgrade/release.ts';
import { releaseProbe } from './upgrade/release-probe.ts';

export const k3sPart: Part = {
  name: 'k3s',
  settings: { joinToken, k3s, datastore },
  conditions: [
    ...(['Preflight', 'Role', 'System', 'K3sBinary', 'JoinToken', 'K3sConfig'] as const),
    ...(['ServerReachable', 'K3sRunning', 'NodeReady', 'Certificates'] as const),
  ],
  reasons: {
    ...firewallReasons,
    ...clusterReasons,
    ...serverReasons,
    ...tokenReasons,
    ...k3sReasons,
    ...datastoreReasons,
    ...certificateReasons,
  },
  consents: [
    'tokenChange',
    'roleChange',
    'serverChange',
    'founding',
    'restart',
    'lostFlags',
    'imageRules',
    'settings',
  ],
  startInputs: [...programInputs, ...accessInputs],
  probes({ machine, configured, node }) {
    const hints = hintsOf(configured?.settings ?? { cloud: fallbackCloud });
    return [
      ...portProbes(machine, node, hints),
      firewallProbe(machine, node),
      peersProbe(machine, node, hints),
      ...datastoreProbes(machine, node, hints),
      ...certificateProbes(machine, node),
      ...copyProbes(machine, node),
      ...(configured
        ? [releaseProbe({ host: configured.host, node }), ...channelProbes({ host: configured.host, node })]
        : []),
    ];
  },
  owns: (paths) => [
    paths.k3s.binary,
    paths.k3s.next,
    paths.k3s.previous,
    ...linkPaths(paths),
    ...scriptPaths(paths),
    paths.k3s.config,
    paths.k3s.datastoreEndpoint,
    paths.slipway.joinToken,
    agentTokenPath(paths),
    ...k3sUnits.map((unit) => join(paths.system.units, unit)),
    paths.k3s.startedWith,
    paths.k3s.lastVersion,
    paths.k3s.publicRelease,
    paths.k3s.stamp,
    paths.slipway.k3sDownload,
    paths.slipway.backup,
    paths.slipway.datastoreCopy,
    paths.slipway.upgrade,
    paths.slipway.tokenRotation,
    paths.slipway.passwordsSaved,
    paths.slipway.channel,
    paths.slipway.founding,
    paths.slipway.restore,
  ],
  reads: ({ system, k3s }) => [
    system.selinux,
    k3s.data,
    k3s.kubeconfig,
    k3s.serverToken,
    k3s.datastore,
    k3s.serverCa,
    k3s.serverTls,
    k3s.agent,
    k3s.agentServerCa,
    k3s.kubeletCertificate,
    k3s.kubeletKubeconfig,
  ],
};
