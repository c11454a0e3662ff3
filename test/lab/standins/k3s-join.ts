/**
 * What a joining server asks a server of the cluster, before it has the cluster's certificates.
 *
 * Models pkg/cluster/bootstrap.go (shouldBootstrapLoad, compareConfig, httpBootstrap) and pkg/clientaccess/token.go:
 * the token may pin the CA; the configuration is compared with the credentials of an agent, and skipped if these fail;
 * the bootstrap data needs the server token.
 */
import type { BootstrapData } from './k3s-bootstrap-data.ts';
import { mismatched } from './k3s-critical.ts';
import type { K3sOptions } from './k3s-flags.ts';
import { exchange, statusLine } from './k3s-http.ts';
import { log } from './k3s-log.ts';
import { caHash, parseToken } from './k3s-token.ts';

/** A server of the cluster, and the token to join with. */
export interface Remote {
  readonly url: string;
  readonly ca: string;
  readonly password: string;
}

/** Verifies the CA of the server at `url`; rejects if the server cannot be reached, or if the token pins another CA. */
export async function validated(url: string, token: string): Promise<Remote> {
  const { caHash: pinned, password } = parseToken(token);
  const { status, body: ca } = await exchange({ url: `${url}/cacerts` }).catch((error) => {
    throw new Error(`failed to get CA certs: ${error.message}`);
  });
  if (status !== 200) {
    throw new Error(`failed to get CA certs: ${url}/cacerts: ${statusLine(status)}`);
  }
  if (pinned !== undefined && pinned !== caHash(ca)) {
    throw new Error(
      `token CA hash does not match the Cluster CA certificate hash: ${pinned} != ${caHash(ca)}`,
    );
  }
  return { url, ca, password };
}

/** Rejects if a critical setting differs from that of the server; `agentPassword` is that of agents. */
export async function compareConfig(
  options: K3sOptions,
  remote: Remote,
  agentPassword: string,
): Promise<void> {
  const answer = await ask({ ...remote, password: agentPassword }, '/v1-k3s/config', 'node').catch(
    (error) => {
      log('warning', `Skipping cluster configuration validation: ${error.message}`);
      return '{}';
    },
  );
  const flags = mismatched(options, JSON.parse(answer));
  for (const flag of flags) {
    log('warning', `critical configuration mismatched: ${flag}`);
  }
  if (flags.length > 0) {
    throw new Error(
      'failed to validate server configuration: critical configuration value mismatch between servers',
    );
  }
}

export async function fetchBootstrap(remote: Remote): Promise<BootstrapData> {
  return JSON.parse(await ask(remote, '/v1-k3s/server-bootstrap', 'server'));
}

/** Resolves to the answer of a server; rejects with the status line if it is not 200. */
export async function ask(
  { url, ca, password }: Remote,
  path: string,
  user: 'node' | 'server',
): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const { status, body } = await exchange({
    url: `${url}${path}`,
    headers: { authorization },
    ca,
    anyName: true,
  });
  if (status !== 200) {
    throw new Error(`${url}${path}: ${statusLine(status)}`);
  }
  return body;
}
