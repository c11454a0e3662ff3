import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { readProof } from './proof/pull-record.ts';
import { datedLogin, type RegistriesSpec, renewedEarly } from './registries.ts';
import { parseRegistries } from './registries-yaml.ts';

/** A registry credential as registries.yaml has it, for readers; times are epoch milliseconds. */
export interface CredentialStatus {
  /** The login server. */
  readonly server: string;
  readonly receivedAt: number;
  /** When it is renewed; absent where its schedule is never due. */
  readonly due?: number;
  /** Absent where it has no end that is known. */
  readonly ends?: number;
  /** What the last proof of a pull, or of the login, came to. */
  readonly proof?: string;
}

/** The credentials this node holds, whatever became of their renewal; none of a server that has none. */
export async function registryCredentials(
  host: HostReader,
  node: K3sNode,
  spec: RegistriesSpec,
): Promise<readonly CredentialStatus[]> {
  const found = await host.readFile(node.paths.k3s.registries);
  const content = found && parseRegistries(found.content);
  if (!content) return [];
  const refused = await renewedEarly(host, node);
  const credentials: CredentialStatus[] = [];
  for (const server of node.settings.registries.servers) {
    const held = datedLogin(content, server, spec, found, refused);
    if (!held) continue;
    const { receivedAt, due, life } = held;
    const proof = await readProof(host, node.paths.slipway.pullProof, server);
    credentials.push({
      server,
      receivedAt,
      ...(Number.isFinite(due) && { due }),
      ...(life !== undefined && { ends: receivedAt + life }),
      ...(proof && { proof: proof.result }),
    });
  }
  return credentials;
}
