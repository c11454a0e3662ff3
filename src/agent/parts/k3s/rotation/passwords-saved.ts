import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { shortDigest } from '../../../engine/digest.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { isPrivate } from '../../../resources/file-attributes.ts';
import { fileText } from '../../../resources/file-text.ts';
import { activeStart } from '../datastore/active-start.ts';
import { isOpen, readRotation } from '../membership/rotation-record.ts';
import { parseToken, type Token } from '../membership/token.ts';
import { saveToken } from './store-token.ts';

const saved = z.object({ digest: z.string() });

/**
 * Makes K3s save its passwords in the datastore after it has started with a new agent token. Returns no Resource on an
 * agent, or if agents use the token of the server. K3s saves its passwords only when it creates a cluster or rotates
 * its token, and does not start with passwords newer than the datastore (pkg/cluster/bootstrap.go; k3s-io/k3s#8066). A
 * request to rotate to the present token saves them.
 */
export function passwordsSaved(node: K3sNode, needs: readonly string[]): readonly Resource[] {
  if (!isServer(node) || node.settings.joinToken.agentSecretName === undefined) {
    return [];
  }
  return [
    {
      id: 'Token/saved',
      summary: 'save the passwords of K3s in its datastore',
      condition: 'JoinToken',
      isQuiet: true,
      needs,
      check: (host) => check(host, node),
    },
  ];
}

async function check(host: HostReader, node: K3sNode): Promise<Finding> {
  const { k3s, slipway } = node.paths;
  const server = await tokenIn(host, k3s.serverToken);
  const agents = await tokenIn(host, join(dirname(k3s.serverToken), 'agent-token'));
  if (server === undefined || agents === undefined || isOpen(await readRotation(host, node.paths))) {
    return inSync();
  }
  const digest = shortDigest(JSON.stringify([server.credential, agents.credential]));
  const noted = await host.readFile(slipway.passwordsSaved);
  const known = noted && readOwn(saved, noted.content)?.digest;
  const isNoted = known === digest && noted !== undefined && isPrivate(noted);
  if (isNoted || (await activeStart(host)) === undefined) {
    return inSync();
  }
  const remedy = async (changing: Host) => {
    // The passwords of the first start are those that K3s saved when it created the cluster.
    if (known !== undefined && known !== digest) {
      await saveToken(changing, node, server);
    }
    await note(changing, node.paths, digest);
  };
  const changes = [{ field: 'passwords in the datastore', observed: known, desired: digest }];
  return { state: 'Drifted', drift: { changes, blocks: false, remedy } };
}

async function tokenIn(host: HostReader, path: string): Promise<Token | undefined> {
  return parseToken(await fileText(host, path));
}

function note(host: Host, { slipway }: NodePaths, digest: string): Promise<void> {
  return host.writeFile(slipway.passwordsSaved, renderOwn(ownFiles.passwordsSaved, { digest }), {
    mode: 0o600,
  });
}
