import type { Cloud } from '../../../clouds/cloud.ts';
import { shortDigest } from '../../../engine/digest.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { FoundFile, Host, HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import { advisory, forPerson } from '../../../engine/severity.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { observing } from '../../../resources/combinators.ts';
import { type Currency, credential } from '../../../resources/credential.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { currentSecret } from './current-secret.ts';
import { parseToken, type Token } from './token.ts';
import { rotateToken } from './token-rotation.ts';

const joinTokenId = 'Credential/join-token';

/**
 * Keeps the file from which K3s reads its token; fetches the token from the cloud if the file is missing or contains no
 * token. Throws `SecretEmpty` if the secret is not a token that this node can use.
 *
 * On a server, the token also encrypts the bootstrap data in the datastore, and K3s does not start with a different
 * token. So the file of an installed server contains the token that K3s uses, and is compared with the vault every
 * joinToken.verifyEvery. Throws `TokenChanged` if the tokens differ, until consent.tokenChange names the digest of the
 * token in the vault; then the running server rotates to that token.
 */
export function joinToken(node: K3sNode, cloud: Cloud, needs: readonly string[]): Resource {
  const { paths, settings } = node;
  const of = (installed: Token | undefined) =>
    credential({
      id: joinTokenId,
      path: paths.slipway.joinToken,
      summary: `fetch the join token to ${paths.slipway.joinToken}`,
      condition: 'JoinToken',
      needs,
      pacing: { attempts: settings.joinToken.attempts, every: settings.joinToken.interval },
      isCurrent: (found, now) => judgeJoinToken(node, installed, found, now),
      render: (host, found) =>
        installed ? renewToken(host, node, cloud, installed, found) : firstToken(host, node, cloud),
    });
  return observing(of, undefined, (host) => installedToken(host, node));
}

/**
 * Returns the token from the cloud as the content of a token file; in a dry run, returns the placeholder. Reads the
 * secret only if its version is new or unknown. Throws `SecretEmpty` if the secret is not a token.
 */
export async function fetchToken(host: Host, cloud: Cloud, name: string): Promise<Secret> {
  const secret = await host.obtain(`the join token (secret ${name})`, () => currentSecret(cloud, name));
  if (!parseToken(secret.reveal()) && !isRedacted(secret)) {
    throw tokenUnusable(name, 'it is empty, has blanks in it, or begins like a K10 token but is not one');
  }
  return new Secret(`${secret.reveal().trim()}\n`, `${secret}\n`);
}

/** True for the placeholder that a dry run uses in place of a secret, which it does not fetch. */
export function isRedacted(secret: Secret | string): boolean {
  return (typeof secret === 'string' ? secret : secret.reveal()).trim() === redacted;
}

/**
 * Returns the token that an installed server uses; `undefined` on an agent, and before the first start of K3s. `k3s
 * token rotate` also updates the file that is read (pkg/server/handlers/token.go).
 */
async function installedToken(host: HostReader, { role, paths }: K3sNode): Promise<Token | undefined> {
  if (role.k3s !== 'server') {
    return undefined;
  }
  const found = await host.readFile(paths.k3s.serverToken);
  return found && parseToken(found.content);
}

function judgeJoinToken(
  node: K3sNode,
  installed: Token | undefined,
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
  if (node.role.k3s === 'agent' || isRedacted(fetched)) {
    return fetched;
  }
  if (serverPassword(fetched, name).caHash === undefined) {
    return fetched;
  }
  throw tokenUnusable(name, 'it names the CA of a cluster, and this server is about to make its own CA');
}

/**
 * Returns the new content of the token file of an installed server: the token that K3s uses if the file is missing or
 * was changed; otherwise the token in the vault. If these tokens differ, rotates K3s to the token in the vault with
 * consent, and throws `TokenChanged` without consent. Throws `SecretEmpty` for a token that no server can use.
 */
async function renewToken(
  host: Host,
  node: K3sNode,
  cloud: Cloud,
  installed: Token,
  found: FoundFile | undefined,
): Promise<Secret> {
  const isIntact =
    found?.mode === 0o600 &&
    found.foreignOwner === undefined &&
    parseToken(found.content)?.credential === installed.credential;
  if (!isIntact) {
    return new Secret(`${installed.credential}\n`, `${redacted}\n`);
  }
  const name = tokenSecretName(node);
  const fetched = await fetchToken(host, cloud, name);
  if (isRedacted(fetched)) {
    return fetched;
  }
  const token = serverPassword(fetched, name);
  if (token.credential === installed.credential) {
    return fetched;
  }
  const next = shortDigest(token.credential);
  if (!isConsented(node.settings, 'tokenChange', next)) {
    throw tokenChanged(node, next);
  }
  await rotateToken(host, node, installed, token);
  return fetched;
}

/**
 * Returns the fetched token if it is a password, the only form of token with which a server starts
 * (pkg/cluster/storage.go, normalizeToken). Throws `SecretEmpty` for any other token.
 */
function serverPassword(fetched: Secret, name: string): Token {
  const token = parseToken(fetched.reveal());
  if (token?.kind === 'password') {
    return token;
  }
  throw tokenUnusable(name, 'it is a bootstrap token, with which agents can join and no server starts');
}

/** Returns the name of the secret that contains the token of this node. */
export function tokenSecretName({ role, settings }: K3sNode): string {
  const { secretName, agentSecretName = secretName } = settings.joinToken;
  return role.k3s === 'agent' ? agentSecretName : secretName;
}

function tokenUnusable(name: string, why: string): NodeError {
  return new NodeError(
    'SecretEmpty',
    `The secret ${name} cannot be the join token: ${why}. Store a long random password in it.`,
    forPerson,
  );
}

/**
 * Returns `TokenChanged`. `next` is the digest of the token in the vault: `printf %s TOKEN | sha256sum | cut -c1-12`.
 */
function tokenChanged(node: K3sNode, next: string): NodeError {
  return new NodeError(
    'TokenChanged',
    `The secret ${tokenSecretName(node)} holds another token than ${unitName(node.role.k3s)} was installed with. The ` +
      'bootstrap data in its datastore is encrypted with the installed one, so nothing was changed. Put the old token ' +
      `back, or, to make the new one the cluster's, ${consentAdvice(node.settings, 'tokenChange', next)}.`,
    advisory,
  );
}
