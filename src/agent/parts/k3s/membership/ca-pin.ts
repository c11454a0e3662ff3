import type { FoundFile, Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { certificates, pinnedCa } from './ca.ts';
import { parseToken, type Token } from './token.ts';

/**
 * The token file of an agent that has joined pins the CA it has joined.
 *
 * With a token that pins none, K3s downloads the CA anew at every start and joins whatever server answers
 * (pkg/clientaccess/token.go, validateCAHash), so a rebuilt server, or an impostor, would get the node at its next
 * reboot. A token of the vault that pins a CA is kept as it is.
 */
export function caPin(node: K3sNode, id: string, needs: readonly string[]): Resource {
  return {
    id: `Credential/${id}`,
    summary: `pin the CA of the cluster in ${node.paths.slipway.joinToken}`,
    condition: 'JoinToken',
    needs,
    async check(host) {
      const known = await joinedCa(host, node);
      const token = tokenIn(await host.readFile(node.paths.slipway.joinToken));
      if (known === undefined || token === undefined || token.caHash !== undefined) return inSync();
      return pin(node, token, pinnedCa(known).hash);
    },
  };
}

/** Drifted: the token file is to pin this CA. */
export function pin({ paths }: K3sNode, token: Token, hash: string): Finding {
  const changes = [{ field: 'CA', observed: short(token.caHash), desired: short(hash) }];
  const summary = `pin the CA of the cluster in ${paths.slipway.joinToken}`;
  const remedy = (host: Host) => writePinned(host, paths, token, hash);
  return { state: 'Drifted', drift: { changes, summary, blocks: false, remedy } };
}

/** Pins another CA in the token file, whatever it pins now; a file without a token stays as it is. */
export async function repin(host: Host, { paths }: K3sNode, hash: string): Promise<void> {
  const token = tokenIn(await host.readFile(paths.slipway.joinToken));
  if (token && token.caHash !== hash) await writePinned(host, paths, token, hash);
}

/** Writes a token to the token file, pinning this CA. */
export async function writePinned(
  host: Host,
  { slipway }: NodePaths,
  token: Token,
  hash: string,
): Promise<void> {
  const text = new Secret(`${pinnedToken(token, hash)}\n`, `${redacted}\n`);
  await host.writeFile(slipway.joinToken, text, { mode: 0o600 });
}

/** The hash of the CA that the token file pins, if it pins one. */
export async function pinnedHash(host: HostReader, { slipway }: NodePaths): Promise<string | undefined> {
  return tokenIn(await host.readFile(slipway.joinToken))?.caHash;
}

/** The text of a token file, and without its pin if that is the CA the node has joined. */
export function unpinnedToken(text: string, known: string): string {
  const token = parseToken(text);
  return token && token.caHash === pinnedCa(known).hash ? token.credential : text.trim();
}

/**
 * The CA that K3s has of the server it joined; `undefined` if there is none, or its file holds no certificate, as after a
 * power loss: K3s writes it anew at its start, and not as a whole.
 */
export async function knownCa(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const content = await fileText(host, k3s.agentServerCa);
  return certificates(content).length > 0 ? content : undefined;
}

/** The CA of a server that gave this node its certificate; `undefined` until one has. */
async function joinedCa(host: HostReader, { paths }: K3sNode): Promise<string | undefined> {
  const hasJoined = (await host.stat(paths.k3s.kubeletKubeconfig)) !== undefined;
  return hasJoined ? knownCa(host, paths) : undefined;
}

/** `undefined` in a dry run as well, which has fetched no token: what stands in its place is not parsed as one. */
function tokenIn(found: FoundFile | undefined): Token | undefined {
  return found && parseToken(found.content);
}

/** `K10<hash>::node:<password>`, or `K10<hash>::<id>.<secret>` (pkg/clientaccess/token.go, parseToken). */
function pinnedToken({ kind, credential }: Token, hash: string): string {
  return `K10${hash}::${kind === 'bootstrap' ? credential : `node:${credential}`}`;
}

function short(hash: string | undefined): string | undefined {
  return hash && `${hash.slice(0, 12)}…`;
}
