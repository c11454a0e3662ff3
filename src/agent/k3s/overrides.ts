import { join } from 'node:path';
import { NodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../core/resource.ts';
import { assigned, unitLines, unitWords } from '../resources/unit-text.ts';
import { usualFlags } from './adopted-unit.ts';
import { configText } from './config.ts';
import { dropInFlags, mergedFlags, readableText } from './flags.ts';
import { foreignUnit, unitFolders } from './foreign-unit.ts';
import { configFlags, execStart, type GivenFlag, k3sCommandLine, unitFlags } from './given-flags.ts';
import { type K3sNode, unitName } from './node.ts';
import { unitEnvironmentFiles } from './unit.ts';

/** What Slipway relies on of K3s' flags, each with what to do instead of giving it in a file of one's own. */
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
  'private-registry': 'set registries.mirrors and registries.configs',
  'write-kubeconfig': 'leave it out',
  'disable-agent': 'leave it out: a server is a node as well',
  log: 'leave it out: the journal has the log',
} as const satisfies Readonly<Record<string, string>>;

type Relied = keyof typeof relied;

/** Without knowing these, Slipway would take a K3s that lives for one that has never run. */
const places: readonly string[] = ['data-dir', 'config'];

/** Variables that K3s takes for a flag, unless a file or its command line gives it (pkg/cli/cmds, EnvVars). */
const variables: Readonly<Record<string, Relied>> = {
  K3S_DATA_DIR: 'data-dir',
  K3S_CONFIG_FILE: 'config',
  K3S_NODE_NAME: 'node-name',
  K3S_URL: 'server',
  K3S_TOKEN_FILE: 'token-file',
  K3S_AGENT_TOKEN_FILE: 'agent-token-file',
  K3S_KUBECONFIG_OUTPUT: 'write-kubeconfig',
};

/**
 * Nothing of the operator's, be it a drop-in of K3s or of its unit or a variable, gives K3s another value than Slipway does
 * of what Slipway relies on: `K3sOverridden` with key, file and line. It blocks only if K3s keeps its data elsewhere.
 */
export function noOverrides(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Config/overrides',
    summary: 'look whether other files of K3s agree with Slipway',
    condition: 'K3sConfig',
    needs,
    async check(host) {
      const found = await overrides(host, node);
      if (found.length > 0) throw overridden(node, found);
      return inSync();
    },
  };
}

/** The same Resource, which neither starts nor restarts anything while there is such an override. */
export function unlessOverridden(node: K3sNode, resource: Resource): Resource {
  return {
    ...resource,
    async check(host): Promise<Finding> {
      const finding = await resource.check(host);
      if (finding.state !== 'Drifted') return finding;
      const found = await overrides(host, node);
      if (found.length === 0) return finding;
      return waiting('K3sOverridden', overridden(node, found).message, { after: 30_000, lasting: true });
    },
  };
}

/** What is given to K3s in another way than Slipway's, and differs from it. */
async function overrides(host: HostReader, node: K3sNode): Promise<readonly GivenFlag[]> {
  const { config } = node.paths.k3s;
  // What is wrong with the settings has a condition of its own.
  const own = configFlags(await configText(host, node).catch(() => ''), config);
  const theirs = [...(await dropInFlags(host, node.paths)), ...(await commandFlags(host, node))];
  const all = [...(await variableFlags(host, node)), ...own, ...theirs];
  const [wanted, effective] = [mergedFlags(own), mergedFlags(all)];
  return Object.keys(relied).flatMap((name) => {
    const culprit = all.findLast((flag) => flag.name === name && flag.path !== config);
    const want = wanted.get(name) ?? usualFlags(node)[name];
    if (!culprit || (want === undefined && isIndifferent(name, node))) return [];
    return agrees(name, effective.get(name) ?? [], want ?? []) ? [] : [culprit];
  });
}

/** Without a server of its own to join an agent has a condition, and without a token for agents there is none to differ. */
function isIndifferent(name: string, { role }: K3sNode): boolean {
  return name === 'agent-token-file' || (name === 'server' && role.k3s === 'agent');
}

function agrees(name: string, is: readonly string[], want: readonly string[]): boolean {
  if (name === 'node-label' || name === 'node-taint') return want.every((value) => is.includes(value));
  if (name === 'node-ip') return is.length > 0 && is.every((value) => want.includes(value));
  return (is.at(-1) ?? 'false') === (want.at(-1) ?? 'false');
}

/** What drop-ins of the unit, or another program's unit, have K3s started with. */
async function commandFlags(host: HostReader, node: K3sNode): Promise<readonly GivenFlag[]> {
  const foreign = await foreignUnit(host, { kind: node.role.k3s, paths: node.paths });
  const kept = foreign
    ? unitFlags(foreign.text, foreign.path).filter(({ name }) => places.includes(name))
    : [];
  const starts = (await unitDropIns(host, node)).filter(({ text }) => execStart(text));
  const last = starts.at(-1);
  if (!last) return kept;
  const start = execStart(last.text);
  const isPlain = k3sCommandLine(unitWords(start?.value ?? ''))?.command === node.role.k3s;
  const other = {
    name: 'ExecStart',
    values: [start?.value ?? ''],
    path: last.path,
    line: start?.line ?? 1,
    adds: false,
  };
  return isPlain ? unitFlags(last.text, last.path) : [other];
}

interface Text {
  readonly path: string;
  readonly text: string;
}

async function unitDropIns(host: HostReader, { role, paths }: K3sNode): Promise<readonly Text[]> {
  const found: Text[] = [];
  for (const folder of unitFolders.toReversed()) {
    const directory = join(paths.root, folder, `${unitName(role.k3s)}.d`);
    for (const name of (await host.list(directory)).filter((each) => each.endsWith('.conf'))) {
      const path = join(directory, name);
      found.push({ path, text: await readableText(host, path) });
    }
  }
  return found;
}

/** What the environment of K3s says: that of drop-ins first, then the files of variables, which win. */
async function variableFlags(host: HostReader, node: K3sNode): Promise<readonly GivenFlag[]> {
  const dropIns = await unitDropIns(host, node);
  const inline = dropIns.flatMap(({ path, text }) =>
    assigned(unitLines(text), 'Environment').flatMap(({ value, line }) =>
      unitWords(value).flatMap((pair) => variable(pair, path, line)),
    ),
  );
  const named = dropIns.flatMap(({ text }) => assigned(unitLines(text), 'EnvironmentFile'));
  const files = [...unitEnvironmentFiles(node), ...named.map(({ value }) => value.replace(/^-/, ''))];
  const texts = await Promise.all(files.map((path) => readableText(host, path)));
  const pairs = texts.flatMap((text, at) =>
    text
      .split('\n')
      .flatMap((line, index) => variable(unitWords(line).join(' '), files[at] ?? '', index + 1)),
  );
  return [...inline, ...pairs];
}

function variable(pair: string, path: string, line: number): readonly GivenFlag[] {
  const [, key = '', value = ''] = /^([A-Z0-9_]+)=(.*)$/s.exec(pair.trim()) ?? [];
  const name = Object.hasOwn(variables, key) ? variables[key] : undefined;
  return name === undefined || value === '' ? [] : [{ name, values: [value], path, line, adds: false }];
}

function overridden({ paths }: K3sNode, found: readonly GivenFlag[]): NodeError {
  const each = found.map(
    ({ name, path, line }) => `${name} in ${path}, line ${line} (${relied[name as Relied]})`,
  );
  return new NodeError(
    'K3sOverridden',
    `Another file gives K3s what Slipway relies on: ${each.join('; ')}. Slipway neither starts nor restarts K3s until it is ` +
      `taken out there; Slipway's own configuration is ${paths.k3s.config}.`,
    { retry: { pace: 'slow' }, blocks: found.some(({ name }) => places.includes(name)) },
  );
}
