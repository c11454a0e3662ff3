/** The command `slipway kubeconfig`: the admin's access to the cluster, for use on another machine. */
import type { NodeError } from '../agent/engine/errors.ts';
import type { HostReader } from '../agent/engine/host.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { complain, print } from '../agent/host/process/print.ts';
import { faultIn } from '../agent/knowledge.ts';
import { isLoopbackServer, type K3sNode, normaliseServer } from '../agent/node.ts';
import {
  k3sSettingsProblems,
  remoteKubeconfig,
  servedNameFault,
  servingUrl,
} from '../agent/parts/k3s/index.ts';
import { type NodePaths, nodePaths } from '../agent/paths.ts';
import { load } from '../agent/settings/load.ts';
import type { Settings } from '../agent/settings/schema.ts';
import { requireRoot } from '../setup/operator.ts';
import type { KubeconfigOptions } from './cli-access.ts';
import { misused } from './cli-forms.ts';
import { compose } from './compose.ts';
import { requirePrivateOutput, writePrivately } from './kubeconfig-place.ts';

/**
 * Prints the admin's kubeconfig with an address that other machines reach, or writes it to a private file. Says on
 * standard error who may have it, and whether the certificate of K3s is valid for the address. Resolves to 0.
 *
 * Throws `InvalidSettings` on an agent, for an unusable address, and for a place that others may read; and
 * `ApiUnavailable` before the first start of K3s.
 */
export async function kubeconfig(options: KubeconfigOptions): Promise<number> {
  const { root, output } = options;
  const isFile = output !== undefined && output !== '-';
  requireRoot('kubeconfig', root, { does: 'reads a key that only root may read' });
  if (!isFile) {
    requirePrivateOutput(output === '-');
  }
  const host = nodeHost({ root });
  const paths = nodePaths(root);
  await requireServer(host, paths);
  const { server, settings } = await wantedServer(options, host, paths);
  const { content, until } = await remoteKubeconfig(host, paths, server);
  if (isFile) {
    const isNew = await writePrivately(nodeHost(), output, content);
    say(`${output} ${isNew ? 'is written, with mode 0600' : 'has this content already'}.`);
  } else {
    print(content.reveal());
  }
  for (const line of [...advice(until), await servedNameFault(host, settings, server)]) {
    say(line);
  }
  return 0;
}

function say(line: string | undefined): void {
  if (line !== undefined) {
    complain(`${printableLine(line)}\n`);
  }
}

async function requireServer(host: HostReader, { k3s }: NodePaths): Promise<void> {
  const isServer = (await host.stat(k3s.kubeconfig)) !== undefined;
  if (!isServer && (await host.stat(k3s.agentServerCa)) !== undefined) {
    throw misused('kubeconfig', "works on a server: an agent does not have the admin's key.");
  }
}

interface Wanted {
  /** The https URL of the server in the kubeconfig. */
  readonly server: string;
  readonly settings: Settings;
}

/**
 * Returns the address in the options; otherwise the address at which nodes register, the external address of this node,
 * or its address. Asks the cloud only if the options name no address.
 */
async function wantedServer(options: KubeconfigOptions, host: HostReader, paths: NodePaths): Promise<Wanted> {
  const { config: file, settings: commandLine, server } = options;
  if (server !== undefined) {
    const loaded = await load(host, { paths, file, commandLine, check: k3sSettingsProblems });
    return { server: addressIn(server), settings: loaded.settings };
  }
  const { gather } = await compose(options);
  const knowledge = await gather();
  const node = knowledge.node.value;
  if (node === undefined) {
    throw withoutAddress(faultIn(knowledge) ?? knowledge.identity.error);
  }
  return { server: ownServer(node), settings: node.settings };
}

function ownServer({ server, address, externalAddress, settings }: K3sNode): string {
  if (server !== undefined && !isLoopbackServer(server)) {
    return server;
  }
  const own = normaliseServer(externalAddress ?? address);
  return own.replace(/:\d+$/, `:${new URL(servingUrl({ settings })).port || '443'}`);
}

function addressIn(server: string): string {
  try {
    return normaliseServer(server);
  } catch {
    throw misused(
      '--server',
      'must be a host name, an address, or an https URL without a path, such as https://203.0.113.5:6443.',
    );
  }
}

function withoutAddress(fault: NodeError | undefined): NodeError {
  const why = fault === undefined ? '' : ` ${fault.message}`;
  return misused('kubeconfig', `does not know the address of this node; name it with --server.${why}`);
}

function advice(until: number): readonly string[] {
  const day = new Date(until).toISOString().slice(0, 10);
  return [
    `This is the admin's key: it gives full control of the cluster and all its Secrets until ${day}, and K3s cannot ` +
      'revoke it. Give it only to a person who administers the cluster.',
    'Keep it in a file with mode 0600 (umask 077), never in Git, a ticket or a chat. For programs and other people, ' +
      'make a ServiceAccount with the rights that they need.',
  ];
}
