import { isIP, isIPv6 } from 'node:net';
import * as z from 'zod/mini';
import type { CloudHints } from '../../clouds/driver.ts';
import { ok, type Probe, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { readList } from '../../kubernetes/lists.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import { isServer, type K3sNode } from '../../node.ts';
import { nodeAccess } from '../../node-access.ts';

/** The maximum number of peers to probe, all at the same time. */
const most = 20;
/** The milliseconds within which a peer must answer; a healthy peer needs about one millisecond. */
const timeout = 2_500;
const kubeletPort = 10_250;

/** The addresses of a Node (Kubernetes API, core/v1). */
const addressed = z.object({
  status: z.nullish(
    z.object({ addresses: z.nullish(z.array(z.object({ type: z.string(), address: z.string() }))) }),
  ),
});

/**
 * Checks that the known peers of this node answer: for an agent, the server and, if the server is known by an IP
 * address, its kubelet; for a server, the kubelets of at most 20 other nodes. Any answer counts, even an HTTP error; a
 * refused connection does not. Does not probe the network of pods, whose UDP packets get no answer.
 */
export function peersProbe(
  host: HostReader,
  node: K3sNode | undefined,
  hints: Pick<CloudHints, 'firewall'>,
): Probe {
  return { about: 'machine', what: 'peers', look: () => lookAtPeers(host, node, hints) };
}

async function lookAtPeers(
  host: HostReader,
  node: K3sNode | undefined,
  { firewall }: Pick<CloudHints, 'firewall'>,
): Promise<Verdict> {
  const peers = node && (await peersOf(host, node));
  if (peers === undefined) {
    return skipped('no peer is known yet');
  }
  const probed = peers.slice(0, most);
  const silent = (await Promise.all(probed.map((url) => silence(host, url)))).flat();
  if (silent.length === 0) {
    return ok(peers.length === 0 ? 'this is the only node' : answering(probed.length, peers.length));
  }
  const [first] = silent;
  const hostName = new URL(first?.url ?? 'https://localhost').hostname;
  return warning(
    `${silent.map(({ url, why }) => `${new URL(url).host} (${why})`).join(', ')}`,
    `on ${hostName}: sudo slipway doctor, which lists the rules of its own that reject; ${firewall} must let this node reach it, ` +
      'and the UDP port of the network of pods as well',
  );
}

function answering(probed: number, known: number): string {
  const more = known === probed ? '' : `; ${known - probed} more are not probed`;
  return `${probed} of ${probed} answer${more}`;
}

/**
 * Returns the URLs of the known peers; `undefined` if an agent knows no server, if the API does not list the nodes, or
 * on a server whose root is not `/`.
 */
async function peersOf(host: HostReader, node: K3sNode): Promise<readonly string[] | undefined> {
  const { role, server, paths, address } = node;
  if (!isServer({ role })) {
    const { hostname } = new URL(server ?? 'https://localhost');
    const kubelet = paths.root === '/' && isIP(hostname) ? [kubeletOf(hostname)] : [];
    return server === undefined ? undefined : [`${server}/ping`, ...kubelet];
  }
  // If the root is not `/`, the nodes are stand-ins on this machine.
  if (paths.root !== '/') {
    return undefined;
  }
  const nodes = await listNodes(host, node).catch(() => undefined);
  return nodes
    ?.flatMap(({ status }) => status?.addresses ?? [])
    .filter((each) => each.type === 'InternalIP' && isIP(each.address) !== 0 && each.address !== address)
    .map((each) => kubeletOf(each.address));
}

async function listNodes(host: HostReader, node: K3sNode) {
  const path = listPath({ apiVersion: 'v1', resource: 'nodes' });
  return readList(host, await nodeAccess(host, node), path, addressed);
}

function kubeletOf(address: string): string {
  return `https://${isIPv6(address) ? `[${address}]` : address}:${kubeletPort}/healthz`;
}

/** Returns the URL of a silent peer, and why it is silent; empty if the peer gives any answer, even an HTTP error. */
async function silence(
  host: HostReader,
  url: string,
): Promise<readonly { readonly url: string; readonly why: string }[]> {
  try {
    await host.get({ url, direct: true, trust: 'anybody', timeout });
    return [];
  } catch (thrown) {
    if (thrown instanceof NodeError && ['Unreachable', 'TimedOut'].includes(thrown.reason)) {
      return [{ url, why: reasonOf(thrown) }];
    }
    return [];
  }
}

/** Returns why a peer is silent. The kernel reports a rejecting firewall rule as a missing route. */
function reasonOf({ reason, message }: NodeError): string {
  if (reason === 'TimedOut') {
    return 'no answer: a firewall drops the packets, or the node is off';
  }
  return /EHOSTUNREACH|no route/i.test(message)
    ? 'no route to host: a firewall of that node rejects, or it is off'
    : 'the connection is refused: nothing listens there';
}
