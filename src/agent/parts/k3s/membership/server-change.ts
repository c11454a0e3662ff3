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
import { serverCa } from './supervisor.ts';

const serverChangeId = 'Consent/server';

/**
 * An agent stays with the server it joined: another address or another CA is `ServerChanged`, and no address at all
 * `ServerUnknown`. Its configuration stays and it keeps running, until consent.serverChange names that address and CA.
 *
 * With consent, and if the CA differs, K3s is stopped, everything the agent got from the old server is removed, the
 * known CA last, and the node joins as a new one does. With the same CA a new address only restarts K3s. A CA that the
 * known one certified belongs to the same server (ca.ts, isSuccessor).
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

/** Returns the node as it is until consent, and until the new server answers: one that has joined keeps its server. */
export async function keepingServer(host: HostReader, node: K3sNode): Promise<K3sNode> {
  if (node.role.k3s === 'server' || !(await joinedCluster(host, node))) {
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

/** Ignores that a server does not answer: joining it reports that. */
function unknown(thrown: unknown): undefined {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}

/**
 * Returns the configured server, written by Slipway or in another program's unit; `undefined` for a line that was
 * damaged by hand.
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
 * Returns the hash of a CA that this agent does not know, by which consent names it; in full, since it is what is
 * trusted.
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
 * Removes everything an agent has of its server: its credentials, and last the CA, which marks the removal as
 * unfinished. Its token pins the CA that was consented to before any server sees it.
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
