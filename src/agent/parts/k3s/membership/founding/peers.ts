import { isIP, isIPv6 } from 'node:net';
import { hintsOf } from '../../../../clouds/chosen.ts';
import type { HostReader } from '../../../../engine/host.ts';
import { isOwnServer, type K3sNode, normaliseServer } from '../../../../node.ts';
import { isSuccessor, pinnedCa } from '../ca.ts';
import { requirePong, serverTokenStatus, shownCa } from '../supervisor.ts';
import type { Token } from '../token.ts';
import type { PeerAnswer } from './decision.ts';
import { judgeFailedPing, nodeError, type Sign } from './failed-ping.ts';
import { serverNames } from './server-names.ts';

/** The addresses to ask: peers, at which this server may join, and others, which only show that a cluster lives. */
export interface Addresses {
  readonly peers: readonly string[];
  readonly others: readonly string[];
}

/**
 * Returns the addresses of other servers. A server joins only at an entry of k3s.peers: a balancer may lead back to
 * itself. Without peers, it joins at the registration address. A marked server also asks the other names of the
 * cluster, beside which it must not found another one.
 */
export async function otherServers(host: HostReader, node: K3sNode): Promise<Addresses> {
  const isOther = (address: string) => !isOwnServer(node, address);
  const ofOthers = node.settings.k3s.peers.map(normaliseServer).filter(isOther);
  const listed = await Promise.all(ofOthers.map((peer) => resolvedServers(host, peer)));
  const peers = [...new Set(listed.flat())].filter(isOther);
  const registration = [node.server ?? []].flat().filter(isOther);
  const hasPeers = node.settings.k3s.peers.length > 0;
  const known = hasPeers ? peers : registration;
  const others = node.settings.k3s.init ? [...registration, ...(await serverNames(host, node))] : [];
  const isExtra = (address: string) => isOther(address) && !known.includes(address);
  return { peers: known, others: [...new Set(others)].filter(isExtra) };
}

/** Returns the URLs of all addresses of a server; its own URL if its name has no address now. */
export async function resolvedServers(host: HostReader, server: string): Promise<readonly string[]> {
  const url = new URL(server);
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) {
    return [server];
  }
  const { stdout } = await host.query({ file: 'getent', args: ['ahosts', url.hostname] });
  const found = stdout.split('\n').map((line) => line.split(/\s/)[0] ?? '');
  const addresses = [...new Set(found)].filter((address) => isIP(address) !== 0);
  const at = (address: string) => `https://${isIPv6(address) ? `[${address}]` : address}:${url.port || 443}`;
  return addresses.length === 0 ? [server] : addresses.map((address) => normaliseServer(at(address)));
}

/**
 * Asks each address whether it is a K3s server that accepts the token of a server. Shows the token only to a server
 * with the CA that the token pins or that this machine knows; without either, to any server that answers, as K3s does.
 * An address is silent only if no connection is possible there: every other failure may be that of a living cluster.
 *
 * A name that does not resolve says nothing about a cluster, so it is not silent: neither a peer nor the registration
 * address that has no address in DNS, nor any name while DNS does not answer. No server can join at a name in tls-san
 * that does not exist, so such a name is silent.
 */
export async function askServers(
  host: HostReader,
  node: K3sNode,
  { peers, others }: Addresses,
  token: Token,
): Promise<readonly PeerAnswer[]> {
  const known = (await host.readFile(node.paths.k3s.serverCa))?.content;
  const ask = async (address: string, isPeer: boolean): Promise<PeerAnswer> => ({
    address,
    isPeer,
    says: await sayingOf(host, node, address, {
      token,
      known,
      mustExist: isPeer || address === node.server,
    }),
  });
  return Promise.all([
    ...peers.map((address) => ask(address, true)),
    ...others.map((address) => ask(address, false)),
  ]);
}

interface Shown {
  readonly token: Token;
  readonly known: string | undefined;
  /** True if the name of the address must exist. */
  readonly mustExist: boolean;
}

async function sayingOf(
  host: HostReader,
  node: K3sNode,
  address: string,
  { token, known, mustExist }: Shown,
): Promise<PeerAnswer['says']> {
  const hints = hintsOf(node.settings);
  try {
    await requirePong(host, address, hints);
  } catch (thrown) {
    return sayingIn(await judgeFailedPing(host, address, thrown), mustExist);
  }
  try {
    const shown = await shownCa(host, address, hints);
    const { hash, trusted } = pinnedCa(shown);
    const isKnown = known === undefined || isSuccessor(shown, known);
    if (!isKnown || (token.caHash !== undefined && token.caHash !== hash)) {
      return 'foreign';
    }
    return sayingBy(await serverTokenStatus(host, address, trusted, token, hints));
  } catch (thrown) {
    nodeError(thrown);
    return 'starting';
  }
}

function sayingIn(sign: Sign, mustExist: boolean): PeerAnswer['says'] {
  switch (sign) {
    case 'answers':
      return 'starting';
    case 'hangs':
      return 'hangs';
    case 'noDns':
      return 'unresolved';
    case 'unknownName':
      return mustExist ? 'unresolved' : 'silent';
    case 'silent':
      return 'silent';
  }
}

function sayingBy(status: number): PeerAnswer['says'] {
  if (status === 200) {
    return 'accepts';
  }
  return status === 401 || status === 403 ? 'refuses' : 'starting';
}
