import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { datedLogins, type Renewal } from './dated-logins.ts';
import { readLogins } from './login-store.ts';
import { readProof } from './proof/pull-record.ts';

/** A registry credential in the store, without its password. Times are in epoch milliseconds. */
export interface CredentialStatus {
  /** The login server. */
  readonly server: string;
  readonly receivedAt: number;
  /** When the credential is due for renewal; absent if it never becomes due. */
  readonly due?: number;
  /** When the credential expires; absent if no expiry is known. */
  readonly ends?: number;
  /** The result of the last pull check or login check. */
  readonly proof?: string;
}

/**
 * Returns the stored credentials for the login servers, even if their renewal failed. Omits credentials of users other
 * than the cloud's registry user.
 */
export async function registryCredentials(
  host: HostReader,
  node: K3sNode,
  renewal: Renewal,
): Promise<readonly CredentialStatus[]> {
  const { paths } = node;
  const logins = await datedLogins(host, node, renewal, await readLogins(host, paths));
  const credentials: CredentialStatus[] = [];
  for (const [server, { receivedAt, due, until }] of logins) {
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
