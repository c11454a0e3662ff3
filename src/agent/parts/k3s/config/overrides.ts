import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { heldBack } from '../../../resources/combinators.ts';
import { readableText } from '../../../resources/file-text.ts';
import { mergedFlags } from '../flags/flags.ts';
import { foreignUnit } from '../flags/foreign-unit.ts';
import { configFlags, type GivenFlag } from '../flags/given-flags.ts';
import { startFlags } from '../flags/start-flags.ts';
import { usualFlags } from '../flags/usual-flags.ts';
import { kindOf } from '../membership/kinds/kinds.ts';
import { configText } from './config.ts';
import { unreadDropIns } from './unread-drop-ins.ts';

/**
 * The K3s flags on which Slipway relies, and the ExecStart of the unit. Each has advice for an operator whose file sets
 * it.
 */
const relied = {
  'data-dir': 'leave it out, and mount the disk at /var/lib/rancher/k3s',
  config: 'leave it out; further keys go to config.yaml.d',
  ExecStart: 'let it be; flags go to config.yaml.d',
  'node-name': 'set node.name',
  'with-node-id': 'set node.name',
  'node-ip': 'set node.ip',
  'node-label': 'set node.labels, or write node-label+, which adds',
  'node-taint': 'set node.taints, or write node-taint+, which adds',
  server: 'set the tag k3s-server or k3s.server',
  'token-file': 'set joinToken.secretName',
  'agent-token-file': 'set joinToken.agentSecretName',
  'datastore-endpoint': 'leave it out: the endpoint comes from the secret that datastore.secretName names',
  'private-registry': 'set registries.mirrors and registries.configs',
  'write-kubeconfig': 'leave it out',
  'disable-agent': 'leave it out: a server is a node as well',
  'cluster-reset': 'leave it out: it is for one start by hand, and would drop the other servers at each',
  log: 'leave it out: the journal has the log',
} as const satisfies Readonly<Record<string, string>>;

type Relied = keyof typeof relied;

/**
 * The flags that move the files of K3s. If an operator sets one, a K3s that already has a cluster looks to Slipway as
 * if it had never run.
 */
const places: readonly string[] = ['data-dir', 'config'];

/**
 * Checks that no drop-in of K3s, no drop-in of its unit and no environment variable overrides a value on which Slipway
 * relies, and that another program's unit does not move the files of K3s. Throws `K3sOverridden`, which names the key,
 * the file and the line; it blocks dependants only if the files are moved. Throws `K3sConfigInvalid` for a drop-in that
 * cannot be read.
 */
export function noOverrides(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Config/overrides',
    summary: 'check that other files of K3s agree with Slipway',
    condition: 'K3sConfig',
    needs,
    async check(host) {
      const error = await overrideObstacle(host, node);
      if (error) {
        throw error;
      }
      return inSync();
    },
  };
}

/** Delays the Resource's starts and restarts of K3s while a value is overridden or a drop-in cannot be read. */
export function unlessOverridden(node: K3sNode, resource: Resource): Resource {
  return heldBack(resource, (host) => overrideObstacle(host, node));
}

async function overrideObstacle(host: HostReader, node: K3sNode): Promise<NodeError | undefined> {
  const found = await overrides(host, node);
  return found.length > 0 ? overridden(node, found) : unreadDropIns(host, node.paths);
}

/** Returns the flags outside Slipway's own configuration that override a value on which Slipway relies. */
async function overrides(host: HostReader, node: K3sNode): Promise<readonly GivenFlag[]> {
  const { config, datastoreEndpoint } = node.paths.k3s;
  // Ignores faults in the settings, because the condition of `configFile` reports them.
  const own = [
    ...configFlags(await configText(host, node).catch(() => ''), config),
    ...configFlags(await readableText(host, datastoreEndpoint), datastoreEndpoint),
  ];
  const at = { kind: node.role.k3s, paths: node.paths };
  const foreign = await foreignUnit(host, at);
  const given = await startFlags(host, { ...at, config: own, foreign });
  // Slipway's unit will replace the unit of another program, so of the flags in that unit only `places` matter.
  const all = given.filter(({ name, path }) => path !== foreign?.path || places.includes(name));
  const [wanted, effective] = [mergedFlags(own), mergedFlags(all)];
  return Object.keys(relied).flatMap((name) => {
    const culprit = all.findLast(
      (flag) => flag.name === name && ![config, datastoreEndpoint].includes(flag.path),
    );
    const want = wanted.get(name) ?? usualFlags(node)[name];
    if (!culprit || (want === undefined && isIndifferent(name, node))) {
      return [];
    }
    return agreesWith(name, effective.get(name) ?? [], want ?? []) ? [] : [culprit];
  });
}

/**
 * True if a flag that Slipway does not set needs no check: another condition reports an agent without a server, and an
 * agent token and an external datastore are optional.
 */
function isIndifferent(name: string, node: K3sNode): boolean {
  const isOptional = name === 'agent-token-file' || name === 'datastore-endpoint';
  return isOptional || (name === 'server' && kindOf(node).needs.includes('server'));
}

function agreesWith(name: string, is: readonly string[], want: readonly string[]): boolean {
  if (name === 'node-label' || name === 'node-taint') {
    return want.every((value) => is.includes(value));
  }
  if (name === 'node-ip') {
    return is.length > 0 && is.every((value) => want.includes(value));
  }
  return (is.at(-1) ?? 'false') === (want.at(-1) ?? 'false');
}

function overridden({ paths }: K3sNode, found: readonly GivenFlag[]): NodeError {
  const each = found.map(
    ({ name, path, line }) => `${name} in ${path}, line ${line} (${relied[name as Relied]})`,
  );
  return new NodeError(
    'K3sOverridden',
    `Another file gives K3s what Slipway relies on: ${each.join('; ')}. Slipway neither starts nor restarts K3s until it is ` +
      `taken out there; Slipway's own configuration is ${paths.k3s.config}.`,
    { ...forPerson, blocks: found.some(({ name }) => places.includes(name)) },
  );
}
