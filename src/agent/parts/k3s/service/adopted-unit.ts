import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import { isServer, type K3sNode, unitName } from '../../../node.ts';
import { unless } from '../../../resources/combinators.ts';
import { readableText } from '../../../resources/file-text.ts';
import { assigned, unitLines, unitWords } from '../../../resources/unit-text.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { configText } from '../config/config.ts';
import { dropInFlags, type Flags, mergedFlags } from '../flags/flags.ts';
import { foreignUnit, ours } from '../flags/foreign-unit.ts';
import {
  configFlags,
  execStart,
  type GivenFlag,
  isList,
  k3sCommandLine,
  unitFlags,
} from '../flags/given-flags.ts';
import { isIrreversible, usualValues } from '../flags/guarded-keys.ts';
import { flagVariables, unitEnvironmentFiles, unitVariables, variableFlags } from '../flags/unit-flags.ts';
import { usualFlags } from '../flags/usual-flags.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { renderUnit } from './unit.ts';

/**
 * Makes the check of the Resource throw `UnitAdopted` if K3s would lose flags that another program's unit gives it and
 * their loss has no consent. The error lists these flags. It does not block a node that has joined a cluster, so that a
 * running K3s is still watched. `others` are functions that return further losses.
 */
export function keepingFlags(node: K3sNode, resource: Resource, others: readonly Losses[] = []): Resource {
  return unless(resource, async (host) => {
    const given = await lostFlags(host, node, others);
    const lost = given.filter((flag) => isKept(flag, node) || !isConsented(node.settings, 'lostFlags', flag));
    if (lost.length > 0) {
      throw wouldLose(node, lost, !(await joinedCluster(host, node)));
    }
    return undefined;
  });
}

/**
 * Returns the settings in another program's files that Slipway's files would lack, each as a word that consent can
 * name.
 */
type Losses = (host: HostReader, node: K3sNode) => Promise<readonly string[]>;

/**
 * Returns what the next start would lack: flags of another program's unit and config.yaml as `flag=value`, other lines
 * of that unit, and the losses from `others`. For a secret, returns only the name of its flag. Empty if the unit was
 * written by Slipway or is missing.
 */
async function lostFlags(
  host: HostReader,
  node: K3sNode,
  others: readonly Losses[],
): Promise<readonly string[]> {
  const unit = await foreignUnit(host, { kind: node.role.k3s, paths: node.paths });
  if (!unit) {
    return [];
  }
  const { config } = node.paths.k3s;
  const configured = await readableText(host, config);
  const old = [
    ...(configured.startsWith(ours) ? [] : configFlags(configured, config)),
    ...(await unitVariables(host, [unit])),
    ...unitFlags(unit.text, unit.path),
  ];
  const rendered = configFlags(await configText(host, node), config);
  const variables = await variableFlags(host, { kind: node.role.k3s, paths: node.paths });
  const kept = mergedFlags([...variables, ...rendered, ...(await dropInFlags(host, node.paths))]);
  const flags = old.flatMap((flag) => missingFlags(flag, kept, node));
  const elsewhere = await Promise.all(others.map((losses) => losses(host, node)));
  return [...new Set([...flags, ...lostLines(unit.text, node), ...elsewhere.flat()])];
}

/**
 * True for a flag that cannot change in an existing cluster of a server, such as its datastore: no consent allows its
 * loss.
 */
function isKept(flag: string, { role }: K3sNode): boolean {
  return isServer({ role }) && isIrreversible(flag.split('=')[0] ?? '');
}

/** The flags that Slipway replaces: the token flags by its own token file, and `server` by a setting or a tag. */
const taken = ['token', 'token-file', 'server'];
const secret =
  /^(agent-token|datastore-endpoint|etcd-s3-(access|secret)-key|etcd-s3-session-token|etcd-s3-proxy|vpn-auth)$/;

function missingFlags({ name, values }: GivenFlag, kept: Flags, node: K3sNode): readonly string[] {
  if (taken.includes(name) && !(name === 'server' && isServer(node))) {
    return [];
  }
  const now = kept.get(name) ?? usualFlags(node)[name] ?? [usualValues[name] ?? []].flat();
  const isOff = values.at(-1) === 'false' && now.length === 0;
  if (isOff) {
    return [];
  }
  const lost = isList(name) ? values.filter((value) => !now.includes(value)) : values.slice(-1);
  if (!isList(name) && now.at(-1) === values.at(-1)) {
    return [];
  }
  return secret.test(name) ? [name] : lost.map((value) => `${name}=${value}`);
}

/**
 * Returns the lines of a unit that Slipway's unit lacks and that do not set a K3s flag: variables, only by name since a
 * value may be secret; environment files; and a command that does not run k3s itself.
 */
function lostLines(text: string, node: K3sNode): readonly string[] {
  const lines = unitLines(text);
  const start = execStart(text);
  const isWrapped = start !== undefined && !k3sCommandLine(unitWords(start.value));
  const named = (from: string) =>
    assigned(unitLines(from), 'Environment')
      .flatMap(({ value }) => unitWords(value))
      .map((pair) => pair.split('=')[0] ?? '');
  const kept = [...named(renderUnit(node)), ...flagVariables, 'K3S_TOKEN', 'INVOCATION_ID'];
  const plainName = unitName(node.role.k3s).replace('.service', '');
  const files = assigned(lines, 'EnvironmentFile').map(({ value }) => value.replace(/^-/, ''));
  return [
    ...(isWrapped ? [`ExecStart=${start.value}`] : []),
    ...named(text)
      .filter((name) => !kept.includes(name))
      .map((name) => `Environment=${name}`),
    ...files
      .filter(
        (path) =>
          !unitEnvironmentFiles({ kind: node.role.k3s, paths: node.paths }).includes(
            path.replaceAll('%N', plainName),
          ),
      )
      .map((path) => `EnvironmentFile=${path}`),
  ];
}

function wouldLose(node: K3sNode, lost: readonly string[], blocks: boolean): NodeError {
  const { role, paths, settings } = node;
  const [kept, free] = [
    lost.filter((flag) => isKept(flag, node)),
    lost.filter((flag) => !isKept(flag, node)),
  ];
  return new NodeError(
    'UnitAdopted',
    `${unitName(role.k3s)} was not written by Slipway, and K3s would lose at its next start: ${lost.join(', ')}. The unit, ` +
      `${paths.k3s.config} and ${paths.k3s.registries} stay as they are. Take each over into node.labels, node.taints, k3s.config ` +
      `or registries, or into a file in ${paths.k3s.config}.d` +
      (free.length > 0
        ? `; to give up ${free.join(', ')}, ${consentAdvice(settings, 'lostFlags', ...free)}.`
        : '.') +
      (kept.length > 0 ? ` The cluster cannot do without ${kept.join(', ')}.` : ''),
    { ...forPerson, blocks },
  );
}
