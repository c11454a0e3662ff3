import { dirname, join } from 'node:path';
import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { FoundFile, Host, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { observing } from '../../../resources/combinators.ts';
import { type Currency, credential, type PartlyRendered } from '../../../resources/credential.ts';
import { fetchToken, isRedacted } from './fetched-token.ts';
import { verified } from './join-token.ts';
import { parseToken } from './token.ts';
import { agentTokenPath } from './token-paths.ts';

/**
 * Keeps the file that contains the token with which agents join a server, so that agents do not need the server's own
 * token. Returns no Resource on an agent, or if joinToken.agentSecretName is not set. The agent token can change at any
 * time, unlike the server's token, and is fetched again every joinToken.verifyEvery.
 *
 * If the file does not contain the token with which K3s started, for example after a manual edit, the remedy writes the
 * token from the cloud or, if that cannot be fetched, the token with which K3s started. If the file already contains
 * the token from the cloud, the remedy throws `ServiceStarting`, since K3s is about to restart with this token.
 */
export function agentToken(node: K3sNode, cloud: Cloud, needs: readonly string[]): readonly Resource[] {
  const { agentSecretName, attempts, interval, verifyEvery } = node.settings.joinToken;
  if (!isServer(node) || agentSecretName === undefined) {
    return [];
  }
  const path = agentTokenPath(node.paths);
  const of = (installed: string | undefined) =>
    credential({
      id: 'Credential/agent-token',
      path,
      summary: `fetch the token of the agents to ${path}`,
      condition: 'JoinToken',
      needs,
      pacing: { attempts, every: interval },
      isCurrent: (found, now) => judgeAgentToken(found, installed) ?? verified(found, now, verifyEvery),
      render: (host, found) =>
        renderFile(() => fetchPassword(host, cloud, agentSecretName), installed, found),
    });
  return [observing(of, undefined, (host) => installedPassword(host, node))];
}

/**
 * Returns the password of the agent token with which K3s started (pkg/server/server.go, printTokens); `undefined`
 * before the first start of K3s, or if its file does not contain a token.
 */
async function installedPassword(host: HostReader, { paths }: K3sNode): Promise<string | undefined> {
  return passwordOf(await host.readFile(join(dirname(paths.k3s.serverToken), 'agent-token')));
}

function passwordOf(found: FoundFile | undefined): string | undefined {
  return found && parseToken(found.content)?.credential;
}

function judgeAgentToken(found: FoundFile, installed: string | undefined): Currency | undefined {
  const password = passwordOf(found);
  if (password !== undefined && password === (installed ?? password)) {
    return undefined;
  }
  const observed = password === undefined ? 'unusable' : 'another';
  return { ok: false, changes: [{ field: 'token', observed, desired: 'as K3s has it, or newer' }] };
}

async function renderFile(
  vault: () => Promise<Secret>,
  installed: string | undefined,
  found: FoundFile | undefined,
): Promise<Secret | PartlyRendered> {
  if (installed === undefined || passwordOf(found) === installed) {
    return vault();
  }
  const rendered = await vault().catch((thrown: unknown) => asInstalled(installed, thrown));
  if (rendered instanceof Secret && rendered.reveal() === found?.content) {
    throw notTakenYet();
  }
  return rendered;
}

function asInstalled(installed: string, thrown: unknown): PartlyRendered {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
  return { content: new Secret(`${installed}\n`, `${redacted}\n`), failure: thrown };
}

function notTakenYet(): NodeError {
  return new NodeError('ServiceStarting', 'K3s is about to take the new token of the agents.', {
    blocks: false,
  });
}

/**
 * Fetches the agent token, and returns only its password: K3s would take the whole string of a full token for the
 * password. In a dry run, returns the placeholder.
 */
async function fetchPassword(host: Host, cloud: Cloud, name: string): Promise<Secret> {
  const fetched = await fetchToken(host, cloud, name);
  const credential = isRedacted(fetched) ? undefined : parseToken(fetched.reveal())?.credential;
  return credential === undefined ? fetched : new Secret(`${credential}\n`, `${fetched}`);
}
