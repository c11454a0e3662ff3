import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { readLogins } from './login-store.ts';
import { readProof } from './proof/pull-record.ts';
import { datedLogin, type Renewal } from './renewal.ts';

/** A registry credential as the store has it, for readers; times are epoch milliseconds. */
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
  { paths, settings }: K3sNode,
  renewal: Renewal,
): Promise<readonly CredentialStatus[]> {
  const logins = await readLogins(host, paths);
  const credentials: CredentialStatus[] = [];
  for (const server of settings.registries.servers) {
    const login = datedLogin(logins, server, renewal);
    if (!login) continue;
    const { receivedAt, due, until } = login;
    const proof = await readProof(host, paths.slipway.pullProof, server);
    credentials.push({
      server,
      receivedAt,
      ...(Number.isFinite(due) && { due }),
      ...(until !== undefined && { ends: until }),
      ...(proof && { proof: proof.result }),
    });
  }
  return credentials;
}
