import type { Cloud } from '../../../clouds/cloud.ts';
import type { FoundFile, Host, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { observing } from '../../../resources/combinators.ts';
import { type Currency, credential } from '../../../resources/credential.ts';
import { fetchToken, isRedacted, tokenSecretName } from './fetched-token.ts';
import { renewToken } from './renewed-token.ts';
import { isOpen, type RotationRecord, readRotation } from './rotation-record.ts';
import { serverPassword, tokenUnusable } from './server-password.ts';
import { parseToken, type Token } from './token.ts';

const joinTokenId = 'Credential/join-token';

/**
 * Keeps the file from which K3s reads its token; fetches the token from the cloud if the file is missing or contains no
 * token. Throws `SecretEmpty` if the secret is not a token that this node can use.
 *
 * On a server, the token also encrypts the bootstrap data in the datastore, and K3s does not start with a different
 * token. So the file of an installed server contains the token that K3s uses, and is compared with the vault every
 * joinToken.verifyEvery. Throws `TokenChanged` if the tokens differ, until consent.tokenChange names the digest of the
 * token in the vault; then records that the token is to be rotated
 * (`tokenRotated`). From the first request to K3s until the end of the rotation, the file contains the old or the new
 * token, and is not compared with the vault.
 */
export function joinToken(node: K3sNode, cloud: Cloud, needs: readonly string[]): Resource {
  const { paths, settings } = node;
  const of = (kept: Kept) =>
    credential({
      id: joinTokenId,
      path: paths.slipway.joinToken,
      summary: `fetch the join token to ${paths.slipway.joinToken}`,
      condition: 'JoinToken',
      needs,
      pacing: { attempts: settings.joinToken.attempts, every: settings.joinToken.interval },
      isCurrent: (found, now) => judgeJoinToken(node, kept, found, now),
      render: async (host, found) => render(host, node, cloud, { ...kept, found }),
    });
  return observing(of, {}, (host) => keptToken(host, node));
}

async function render(
  host: Host,
  node: K3sNode,
  cloud: Cloud,
  { installed, rotation, found }: Kept & { readonly found: FoundFile | undefined },
): Promise<Secret> {
  if (isOpen(rotation)) {
    const { from, to } = rotation.tokens;
    return new Secret(rotation.state === 'rotated' ? to : from, `${redacted}\n`);
  }
  return installed
    ? renewToken(host, node, cloud, { installed, rotation, found })
    : firstToken(host, node, cloud);
}

/** What a server knows of its token: the token that K3s uses, and the last rotation. */
interface Kept {
  readonly installed?: Token | undefined;
  readonly rotation?: RotationRecord | undefined;
}

/**
 * Returns the token that an installed server uses, and its last rotation; nothing on an agent. `k3s token rotate` also
 * updates the file that is read (pkg/server/handlers/token.go).
 */
async function keptToken(host: HostReader, { role, paths }: K3sNode): Promise<Kept> {
  if (!isServer({ role })) {
    return {};
  }
  const found = await host.readFile(paths.k3s.serverToken);
  return { installed: found && parseToken(found.content), rotation: await readRotation(host, paths) };
}

function judgeJoinToken(
  node: K3sNode,
  { installed, rotation }: Kept,
  found: FoundFile,
  now: number,
): Currency {
  if (isRedacted(found.content)) {
    return { ok: true };
  }
  const token = parseToken(found.content);
  if (!token) {
    return { ok: false, changes: [{ field: 'token', observed: 'unusable', desired: 'a join token' }] };
  }
  if (isOpen(rotation)) {
    return Object.values(rotation.tokens).some((text) => parseToken(text)?.credential === token.credential)
      ? { ok: true }
      : { ok: false, changes: [{ field: 'token', observed: 'another', desired: 'as in the rotation' }] };
  }
  if (!installed) {
    return { ok: true };
  }
  if (token.credential !== installed.credential) {
    return { ok: false, changes: [{ field: 'token', observed: 'another', desired: 'as installed' }] };
  }
  return verified(found, now, node.settings.joinToken.verifyEvery);
}

/**
 * Returns `ok` until `every` milliseconds after the last comparison of a token file with the vault, and then a change
 * that does not block. Each comparison rewrites the file, so the modification time of the file is the time of its last
 * comparison; a time in the future makes the comparison due.
 */
export function verified({ modifiedAt }: FoundFile, now: number, every: number): Currency {
  const due = modifiedAt + every;
  if (modifiedAt <= now && now < due) {
    return { ok: true, until: due };
  }
  const change = {
    field: 'compared with the vault',
    observed: new Date(modifiedAt).toISOString(),
    desired: 'now',
  };
  return { ok: false, blocks: false, changes: [change] };
}

/** Fetches the first token of a node. Throws `SecretEmpty` if the node cannot use the token. */
async function firstToken(host: Host, node: K3sNode, cloud: Cloud): Promise<Secret> {
  const name = tokenSecretName(node);
  const fetched = await fetchToken(host, cloud, name);
  if (!isServer(node) || isRedacted(fetched)) {
    return fetched;
  }
  // A server with etcd may join the cluster whose CA the token names; `etcdFounding` refuses to found one with it.
  if (serverPassword(fetched, name).caHash === undefined || node.settings.k3s.datastore === 'etcd') {
    return fetched;
  }
  throw tokenUnusable(name, 'it names the CA of a cluster, and this server is about to make its own CA');
}
