import { isIPv6 } from 'node:net';
import { hintsOf } from '../../../clouds/chosen.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import { advisory, forPerson } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { mergedFlags } from '../flags/flags.ts';
import { configFlags } from '../flags/given-flags.ts';
import { startFlags } from '../flags/start-flags.ts';
import { isSuccessor, pinnedCa } from '../membership/ca.ts';
import { isRedacted } from '../membership/fetched-token.ts';
import { otherServers } from '../membership/founding/peers.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { serverCa, sharedConfig } from '../membership/supervisor.ts';
import { parseToken, type Token } from '../membership/token.ts';
import { agentTokenPath } from '../membership/token-paths.ts';
import { configText } from './config.ts';
import { type Mismatch, mismatches } from './critical-keys.ts';

/**
 * Compares the settings that all servers must share with those of the other servers, before the first start of K3s and
 * later: K3s itself compares them only when a server joins, and then exits. Throws `SettingsDiffer`, which blocks
 * only a server that has not joined. A server that does not answer is not compared.
 */
export function criticalSettings(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Cluster/settings',
    summary: 'compare the settings with those of the other servers',
    condition: 'K3sConfig',
    needs,
    async check(host) {
      const token = await nodeToken(host, node);
      if (token === undefined) {
        return inSync();
      }
      const { peers } = await otherServers(host, node);
      const found = await Promise.all(peers.map((peer) => differing(host, node, peer, token)));
      const [first] = found.filter((each) => each !== undefined);
      if (first) {
        throw settingsDiffer(first, await joinedCluster(host, node));
      }
      return inSync();
    },
  };
}

/** Returns the token with which a node reads the configuration of a server; `undefined` in a dry run. */
async function nodeToken(host: HostReader, { paths, settings }: K3sNode): Promise<Token | undefined> {
  const { agentSecretName } = settings.joinToken;
  const path = agentSecretName === undefined ? paths.slipway.joinToken : agentTokenPath(paths);
  const text = await fileText(host, path);
  return isRedacted(text) ? undefined : parseToken(text);
}

interface Differing {
  readonly peer: string;
  readonly found: readonly Mismatch[];
}

async function differing(
  host: HostReader,
  node: K3sNode,
  peer: string,
  token: Token,
): Promise<Differing | undefined> {
  const hints = hintsOf(node.settings);
  try {
    const shown = await serverCa(host, peer, hints);
    const known = (await host.readFile(node.paths.k3s.serverCa))?.content;
    const { hash, trusted } = pinnedCa(shown);
    const isForeign = known !== undefined && !isSuccessor(shown, known);
    if (isForeign || (token.caHash !== undefined && token.caHash !== hash)) {
      return undefined;
    }
    const config = await sharedConfig(host, peer, trusted, token, hints);
    const found = mismatches(await ownFlags(host, node), config, { isIPv6: isIPv6(node.address) });
    return found === undefined || found.length === 0 ? undefined : { peer, found };
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return undefined;
    }
    throw thrown;
  }
}

/** Returns the flags with which K3s would start now. */
async function ownFlags(host: HostReader, node: K3sNode) {
  const { config } = node.paths.k3s;
  const given = configFlags(await configText(host, node), config);
  return mergedFlags(await startFlags(host, { kind: 'server', paths: node.paths, config: given }));
}

function settingsDiffer({ peer, found }: Differing, isJoined: boolean): NodeError {
  const each = found.map(
    ({ flag, own, other }) => `${flag} is ${own || 'not set'} here and ${other || 'not set'} there`,
  );
  const effect = isJoined
    ? 'This server keeps running, but the servers act differently.'
    : 'K3s would refuse to join with these values, so Slipway does not start it.';
  return new NodeError(
    'SettingsDiffer',
    `The server ${peer} has other settings than this one: ${each.join('; ')}. ${effect} Give k3s.config of all servers ` +
      'the same values, as the running cluster has them.',
    isJoined ? advisory : forPerson,
  );
}
