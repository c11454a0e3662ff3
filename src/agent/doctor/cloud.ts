import { chosenCloud } from '../clouds/chosen.ts';
import type { Cloud } from '../clouds/cloud.ts';
import { type Clouds, clouds } from '../clouds/index.ts';
import { secretEmpty } from '../clouds/secret-empty.ts';
import type { Host } from '../engine/host.ts';
import { chosenEngine } from '../gitops/chosen.ts';
import { isServer, type K3sNode, mayActForCluster } from '../node.ts';
import { fetchToken, tokenSecretName } from '../parts/k3s/index.ts';
import { workloadSources } from '../parts/workloads/index.ts';
import type { Settings } from '../settings/schema.ts';
import { ok, type Probe, skipped, type Verdict, warning } from './probe.ts';

export interface CloudProbes {
  readonly host: Host;
  readonly cloud: Cloud;
  readonly settings: Settings;
  /** Warnings about the choice of the cloud; each warning becomes a probe. */
  readonly cloudWarnings: readonly string[];
  /** The node to probe for; `undefined` while its role, name or address is unknown. */
  readonly node: K3sNode | undefined;
}

/**
 * Returns the probes for any cloud: one for each warning about the choice of the cloud, one for the identity of this
 * VM, and one for each secret of its role, or a single skipped probe while the node is unknown. The probes run the
 * daemon's own code.
 */
export function cloudProbes(subject: CloudProbes, table: Clouds = clouds): readonly Probe[] {
  const about = 'cloud' as const;
  return [
    ...subject.cloudWarnings.map((message) => ({
      about,
      what: 'choice of the cloud',
      look: async () => warning(message),
    })),
    { about, what: 'metadata service', look: () => lookAtIdentity(subject, table) },
    ...secretsOf(subject).map((name) => ({
      about,
      what: `secret ${name}`,
      look: () => readSecret(subject, name),
    })),
    ...(subject.node ? [] : [{ about, what: 'secrets', look: async () => skipped(unknownRole) }]),
  ];
}

/** The tags whose values the doctor shows; any other tag may contain a token. */
const readTags = ['k3s-role', 'k3s-server', 'k3s-version', 'k3s-hold'];

async function lookAtIdentity({ cloud, settings }: CloudProbes, table: Clouds): Promise<Verdict> {
  const { computerName, location, tags } = await cloud.identity();
  const read = Object.entries(tags).filter(([name]) => readTags.includes(name));
  const shown = read.map(([name, value]) => `${name}=${value}`).join(', ') || withoutTags(settings, table);
  return ok(`${[computerName, location].filter(Boolean).join(' in ')}; ${shown}`);
}

function withoutTags(settings: Settings, table: Clouds): string {
  return chosenCloud(settings, table).tags === 'absent' ? 'this cloud has no tags' : 'no tag k3s-role';
}

/**
 * The message of the skipped probe for the secrets. If the doctor guessed the role, it might check whether an agent can
 * read the server's token.
 */
const unknownRole = 'what this VM may read depends on its role, which is not known';

function secretsOf({ settings, node }: CloudProbes): readonly string[] {
  if (!node) {
    return [];
  }
  const { agentSecretName } = settings.joinToken;
  const agents = isServer(node) && agentSecretName !== undefined ? [agentSecretName] : [];
  const git = node.role.gitops && mayActForCluster(node) ? chosenEngine(settings.gitops).secrets : [];
  return [...new Set([tokenSecretName(node), ...agents, ...git, ...workloadSources(node)])];
}

/**
 * Returns `ok` if the secret can be read, without showing any part of the secret. Throws `SecretEmpty` for a join token
 * of an invalid form and for any other secret that is empty, and the errors of the cloud.
 */
async function readSecret({ host, cloud, settings }: CloudProbes, name: string): Promise<Verdict> {
  const { secretName, agentSecretName } = settings.joinToken;
  if (name === secretName || name === agentSecretName) {
    await fetchToken(host, cloud, name);
  } else if ((await cloud.secret(name)).reveal().trim() === '') {
    throw secretEmpty(name);
  }
  return ok('can be read');
}
