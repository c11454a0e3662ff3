import { join } from 'node:path';
import { hintsOf } from '../../../clouds/chosen.ts';
import { commandLine } from '../../../engine/command-line.ts';
import { NodeError, rethrowNonBlocking } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import { type K3sNode, normaliseServer, unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { mergedFlags } from '../flags/flags.ts';
import { foreignUnit } from '../flags/foreign-unit.ts';
import { presentFlags } from '../flags/start-flags.ts';
import { isSuccessor, pinnedCa } from './ca.ts';
import { knownCa, pinnedHash, repin } from './ca-pin.ts';
import { joinedCluster } from './joined-cluster.ts';
import { verifies } from './kinds/kinds.ts';
import { serverCa } from './supervisor.ts';

const serverChangeId = 'Consent/server';

/**
 * Keeps a joined agent on its server. Throws `ServerChanged` for another address or another CA, until
 * consent.serverChange names that address and CA; `ServerUnknown` if no address is known; `ServerUnreachable` or
 * `ServerNotReady` if a new address has consent but does not answer. After any of these errors, the agent keeps its
 * configuration and runs on.
 *
 * With consent to another CA, K3s is stopped, the credentials from the old server are removed (the known CA last), and
 * the node joins like a new one. A new address with the same CA only restarts K3s. A CA that the known one certified
 * belongs to the same server (ca.ts, isSuccessor).
 */
export function serverChange(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: serverChangeId,
    summary: node.server === undefined ? 'learn which server to join' : `join ${node.server}`,
    condition: 'ServerReachable',
    needs,
    check: (host) => checkServer(host, node),
  };
}

/**
 * Returns a joined agent with the server that its configuration names, until a new server answers and its address and
 * CA have consent. Returns any other node unchanged.
 */
export async function keepingServer(host: HostReader, node: K3sNode): Promise<K3sNode> {
  if (!verifies(node, 'serverKept') || !(await joinedCluster(host, node))) {
    return node;
  }
  const old = await configuredServer(host, node);
  if (old === undefined || old === node.server || (await mayMove(host, node))) {
    return node;
  }
  return { ...node, server: old };
}

async function mayMove(host: HostReader, node: K3sNode): Promise<boolean> {
  const { server, settings } = node;
  if (server === undefined || !isConsented(settings, 'serverChange', server)) {
    return false;
  }
  const ca = await serverCa(host, server, hintsOf(settings)).catch(unknown);
  if (ca === undefined) {
    return false;
  }
  return isConsented(settings, 'serverChange', ...(await foreignCa(host, node, ca)));
}

async function checkServer(host: HostReader, node: K3sNode): Promise<Finding> {
  const { server, settings } = node;
  if (!(await joinedCluster(host, node))) {
    return inSync();
  }
  if (server === undefined) {
    throw serverUnknown().nonBlocking();
  }
  const old = await configuredServer(host, node);
  const moves = old !== undefined && old !== server;
  const address = moves ? [server] : [];
  const mustAnswer = moves && isConsented(settings, 'serverChange', server);
  const ca = await serverCa(host, server, hintsOf(settings)).catch(mustAnswer ? rethrowNonBlocking : unknown);
  const foreign = ca === undefined ? [] : await foreignCa(host, node, ca);
  const subjects = [...address, ...foreign];
  if (!isConsented(settings, 'serverChange', ...subjects)) {
    const shows = foreign.length > 0 ? ', which shows another CA than the one this agent knows' : '';
    const what = moves ? `this agent has joined ${old}, and ${server} is wanted${shows}` : rebuilt(server);
    throw serverChanged(what, consentAdvice(settings, 'serverChange', ...subjects));
  }
  const [hash] = foreign;
  return hash === undefined ? inSync() : leaveServer(host, node, hash);
}

function rebuilt(server: string): string {
  return `${server} shows another CA than the one this agent knows, as a rebuilt server does`;
}

/**
 * Returns `undefined` for a `NodeError`, such as `ServerUnreachable`, which `tokenAccepted` also reports. Rethrows
 * anything else, since it is a defect of Slipway.
 */
function unknown(thrown: unknown): undefined {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}

/**
 * Returns the server URL from config.yaml or, failing that, from an adopted unit; `undefined` if neither contains a
 * valid URL.
 */
async function configuredServer(host: HostReader, { paths }: K3sNode): Promise<string | undefined> {
  const text = await fileText(host, paths.k3s.config);
  return /^server: "(https:\/\/[^"\s]+)"$/m.exec(text)?.[1] ?? adoptedServer(host, paths);
}

async function adoptedServer(host: HostReader, paths: NodePaths): Promise<string | undefined> {
  const at = { kind: 'agent', paths } as const;
  if ((await foreignUnit(host, at)) === undefined) {
    return undefined;
  }
  const server = mergedFlags(await presentFlags(host, at))
    .get('server')
    ?.at(-1);
  try {
    return server && normaliseServer(server);
  } catch (thrown) {
    return unknown(thrown);
  }
}

/**
 * Returns the hash of `ca` if the agent must not trust `ca` without consent; the consent names this hash. Returns an
 * empty list if the known CA is `ca` or certified it, or if the known CA is missing and the token pins `ca`. The hash
 * is not shortened, since it decides which CA the agent trusts.
 */
async function foreignCa(host: HostReader, { paths }: K3sNode, ca: string): Promise<readonly string[]> {
  const { hash } = pinnedCa(ca);
  const known = await knownCa(host, paths);
  const isOurs = known === undefined ? hash === (await pinnedHash(host, paths)) : isSuccessor(ca, known);
  return isOurs ? [] : [hash];
}

async function leaveServer(host: HostReader, node: K3sNode, hash: string): Promise<Finding> {
  const unit = unitName(node.role.k3s);
  const { ActiveState: state } = await showUnit(host, unit, ['ActiveState']);
  if (state === 'deactivating') {
    return waiting('ServerChanged', `${unit} is stopping, to leave its old server`, { after: 1_000 });
  }
  if (state !== 'inactive' && state !== 'failed') {
    const changes = [{ field: unit, observed: state, desired: 'inactive' }];
    const stop = systemctl('stop', '--no-block', unit);
    return {
      state: 'Drifted',
      drift: {
        changes,
        summary: commandLine(stop),
        partial: true,
        remedy: async (host) => void (await host.run(stop)),
      },
    };
  }
  const summary = 'remove what this agent got from its old server';
  const changes = [{ field: 'server CA', observed: 'of the old server', desired: undefined }];
  return {
    state: 'Drifted',
    drift: { changes, summary, partial: true, remedy: (host) => forgetServer(host, node, hash) },
  };
}

/**
 * Removes the credentials that an agent got from its server: first the kubeconfigs and the client files, and last the
 * known CA, whose presence marks an unfinished removal. Before removing the CA, pins the consented CA in the token
 * file, so that the agent shows its token to no other server.
 */
async function forgetServer(host: Host, node: K3sNode, hash: string): Promise<void> {
  const { k3s } = node.paths;
  const names = await host.list(k3s.agent);
  for (const name of names.filter((name) => /\.kubeconfig$|^client/.test(name))) {
    await host.remove(join(k3s.agent, name));
  }
  await repin(host, node, hash);
  await host.remove(k3s.agentServerCa);
}

export function serverUnknown(): NodeError {
  return new NodeError(
    'ServerUnknown',
    'No K3s server to join is known. Set the tag k3s-server on this VM, k3s.server, or --server, to the address of the server.',
  );
}

function serverChanged(what: string, advice: string): NodeError {
  return new NodeError(
    'ServerChanged',
    `Another server: ${what}. Nothing was changed. Put the old server back, or, to join this one, ${advice}.`,
    advisory,
  );
}
