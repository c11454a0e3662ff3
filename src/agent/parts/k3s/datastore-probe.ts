import { isIPv6 } from 'node:net';
import type { CloudHints } from '../../clouds/driver.ts';
import { failure, ok, type Probe, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { readableText } from '../../resources/file-text.ts';
import { hasExternalDatastore } from './config/endpoint-change.ts';
import { readEndpoint } from './config/endpoint-text.ts';
import { type DatastoreEndpoint, type HostAndPort, parseEndpoint } from './flags/datastore-endpoint.ts';

/** The milliseconds within which a database server must accept a connection. */
const timeout = 5_000;

type Hints = Pick<CloudHints, 'firewall'>;

/**
 * Returns the probe that connects to the servers of an external datastore by TCP; an empty list on a node without one.
 * Whether the login works, only K3s shows.
 */
export function datastoreProbes(host: HostReader, node: K3sNode | undefined, hints: Hints): readonly Probe[] {
  return node !== undefined && hasExternalDatastore(node)
    ? [{ about: 'network', what: 'datastore', look: () => lookAtDatastore(host, node, hints) }]
    : [];
}

async function lookAtDatastore(host: HostReader, node: K3sNode, hints: Hints): Promise<Verdict> {
  const path = node.paths.k3s.datastoreEndpoint;
  const { 'datastore-endpoint': text = '' } = readEndpoint(await readableText(host, path), path);
  const endpoint = parseEndpoint(text);
  if (typeof endpoint === 'string') {
    return skipped('its endpoint is not known yet, or only root may read it');
  }
  const { kind, hosts } = endpoint;
  const probed = await Promise.all(hosts.map((each) => fault(host, endpoint, each)));
  const silent = probed.filter((each) => each !== undefined);
  const repair = `check that the database server runs and listens there, and that ${hints.firewall} lets this node reach it`;
  if (silent.length > 0) {
    const verdict = silent.length === hosts.length ? failure : warning;
    return verdict(`${kind}: ${silent.join('; ')}`, repair);
  }
  const reached = `${kind} at ${hosts.map(shown).join(', ') || 'a socket of this machine'} accepts connections`;
  const isProtected =
    endpoint.isEncrypted || node.settings.datastore.caFile !== undefined || hosts.length === 0;
  return isProtected
    ? ok(reached)
    : warning(
        `${reached}, but the endpoint does not ask for TLS, so that every Secret of the cluster may cross the network unprotected`,
        'set datastore.caFile to the CA of the database server',
      );
}

/** Returns why a server cannot be reached; `undefined` if it accepts the connection, whatever it answers. */
async function fault(
  host: HostReader,
  { kind }: DatastoreEndpoint,
  at: HostAndPort,
): Promise<string | undefined> {
  const url = `${kind === 'etcd' ? 'https' : 'http'}://${shown(at)}/`;
  try {
    await host.get({ url, direct: true, trust: 'anybody', timeout });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    // A database that is asked for HTTP cuts the connection that it has accepted.
    const isSilent = thrown.reason === 'TimedOut' || (thrown.reason === 'Unreachable' && !isCut(thrown));
    return isSilent ? thrown.message : undefined;
  }
}

function isCut({ message }: NodeError): boolean {
  return /: (ECONNRESET|EPIPE|the connection failed)\./.test(message);
}

function shown({ host, port }: HostAndPort): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
