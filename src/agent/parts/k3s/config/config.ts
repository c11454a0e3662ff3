import { isDeepStrictEqual } from 'node:util';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { remembering } from '../../../engine/remembering.ts';
import type { Resource } from '../../../engine/resource.ts';
import { forPerson } from '../../../engine/severity.ts';
import { isServer, type K3sNode, nodeLabels, nodeTaints, registrationNames } from '../../../node.ts';
import { file } from '../../../resources/file.ts';
import { quotedYaml } from '../../../settings/quoted-yaml.ts';
import { parseYaml } from '../../../settings/yaml.ts';
import { checkK3sConfig, type K3sKeyProblem } from '../flags/config-keys.ts';
import type { K3sConfig } from '../membership/kinds/kind.ts';
import { kindOf } from '../membership/kinds/kinds.ts';
import { agentTokenPath } from '../membership/token-paths.ts';
import { keptNode } from './kept-node.ts';

/**
 * Keeps the configuration file of K3s up to date, with mode 0600. Throws `K3sConfigInvalid` if a key or a value of
 * k3s.config is not valid for this K3s command.
 */
export function configFile(node: K3sNode, needs: readonly string[]): Resource {
  return file({
    path: node.paths.k3s.config,
    mode: 0o600,
    condition: 'K3sConfig',
    needs,
    content: (host) => configText(host, node),
  });
}

/**
 * Returns the text of config.yaml for the current state of this machine; throws `K3sConfigInvalid` like `configFile`.
 */
export async function configText(host: HostReader, node: K3sNode): Promise<string> {
  // K3s does not start if a key names a missing file.
  const hasAgentToken = (await host.stat(agentTokenPath(node.paths))) !== undefined;
  return renderConfig(await keptNode(host, node), hasAgentToken);
}

/**
 * Renders config.yaml. Throws `K3sConfigInvalid` for a key or a value that K3s would refuse, or if the text does not
 * read back as it was written.
 *
 * K3s turns the file into command line flags (pkg/configfilearg/parser.go), and an agent exits at an unknown flag, so
 * every key is checked first. The file contains the path of the token file, not the token.
 */
export function renderConfig(node: K3sNode, hasAgentToken = true): string {
  const config = k3sConfig(node, hasAgentToken);
  const problems = [...checkK3sConfig(node.role.k3s, config), ...forbidden(node, config)];
  if (problems.length > 0) {
    throw invalidConfig(problems.map(({ key, message }) => `${key} ${message}`).join('; '));
  }
  const text =
    '# Written by Slipway; what else K3s should know goes to a file in config.yaml.d beside this one.\n' +
    quotedYaml({ data: config, keys: 'PLAIN' }, 'config.yaml');
  if (!isDeepStrictEqual(readBack(text, 'config.yaml'), config)) {
    throw invalidConfig('it does not read back as it was written');
  }
  return text;
}

/** Returns a problem for each key that a node of this kind of membership must not have. */
function forbidden(node: K3sNode, config: K3sConfig): readonly K3sKeyProblem[] {
  const { forbids, summary } = kindOf(node);
  return forbids
    .filter((key) => key in config)
    .map((key) => ({ key, message: `does not belong on ${summary}; leave it out` }));
}

const readBack = remembering(parseYaml);

function k3sConfig(node: K3sNode, hasAgentToken: boolean): K3sConfig {
  const extra = node.settings.k3s.config;
  const names = isServer(node) ? registrationNames(node) : [];
  return {
    'token-file': node.paths.slipway.joinToken,
    ...kindOf(node).writes(node, { hasAgentToken }),
    'node-name': node.name,
    'node-ip': [node.address],
    ...networkOf(node),
    ...(node.paths.root !== '/' && placesOf(node)),
    ...extra,
    ...listsOf({ 'node-label': nodeLabels(node), 'node-taint': nodeTaints(node) }, extra),
    ...(names.length > 0 && listsOf({ 'tls-san': names }, extra)),
  };
}

/**
 * Returns the flags for the interface and the external address of a node in several networks. Without flannel-iface,
 * flannel sends the traffic of pods through the interface of the default route, even if node-ip belongs to another
 * interface (pkg/agent/flannel, LookupExtInterface).
 */
function networkOf({ interface: name, externalAddress }: K3sNode): K3sConfig {
  return {
    ...(name !== undefined && { 'flannel-iface': name }),
    ...(externalAddress !== undefined && { 'node-external-ip': [externalAddress] }),
  };
}

/** Returns the flags for the paths of K3s, which are not K3s's defaults if the root is not `/`. */
function placesOf({ role, paths }: K3sNode): K3sConfig {
  return {
    'data-dir': paths.k3s.data,
    'private-registry': paths.k3s.registries,
    'image-credential-provider-config': paths.k3s.credentialProvider,
    'image-credential-provider-bin-dir': paths.k3s.credentialProviderBin,
    ...(isServer({ role }) && { 'write-kubeconfig': paths.k3s.kubeconfig }),
  };
}

/** Returns each list with the values that k3s.config adds to it; omits empty lists. */
function listsOf(own: Readonly<Record<string, readonly string[]>>, extra: K3sConfig): K3sConfig {
  const entries = Object.entries(own).map(
    ([key, values]) => [key, [...values, ...[extra[key] ?? []].flat()]] as const,
  );
  return Object.fromEntries(entries.filter(([, values]) => values.length > 0));
}

function invalidConfig(problem: string): NodeError {
  const message = `The K3s configuration cannot be used: ${problem}. Correct k3s.config.`;
  return new NodeError('K3sConfigInvalid', message, forPerson);
}
