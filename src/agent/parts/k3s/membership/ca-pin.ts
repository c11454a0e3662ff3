import type { FoundFile, Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { certificates, pinnedCa } from './ca.ts';
import { parseToken, type Token } from './token.ts';

/**
 * The token file of an agent that has joined pins the CA of its cluster.
 *
 * With a token without a pin, K3s downloads the CA anew at every start and joins any server that answers
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
      if (known === undefined || token === undefined || token.caHash !== undefined) {
        return inSync();
      }
      return pin(node, token, pinnedCa(known).hash);
    },
  };
}

/** Returns the drift of a token file that does not pin this CA. */
export function pin({ paths }: K3sNode, token: Token, hash: string): Finding {
  const changes = [{ field: 'CA', observed: short(token.caHash), desired: short(hash) }];
  const summary = `pin the CA of the cluster in ${paths.slipway.joinToken}`;
  const remedy = (host: Host) => writePinned(host, paths, token, hash);
  return { state: 'Drifted', drift: { changes, summary, blocks: false, remedy } };
}

/** Pins another CA in the token file, in place of any earlier pin; a file without a token stays as it is. */
export async function repin(host: Host, { paths }: K3sNode, hash: string): Promise<void> {
  const token = tokenIn(await host.readFile(paths.slipway.joinToken));
  if (token && token.caHash !== hash) {
    await writePinned(host, paths, token, hash);
  }
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

/** Returns the hash of the CA that the token file pins, if it pins one. */
export async function pinnedHash(host: HostReader, { slipway }: NodePaths): Promise<string | undefined> {
  return tokenIn(await host.readFile(slipway.joinToken))?.caHash;
}

/** Returns the text of a token file, without its pin if that is the CA the node has joined. */
export function unpinnedToken(text: string, known: string): string {
  const token = parseToken(text);
  return token && token.caHash === pinnedCa(known).hash ? token.credential : text.trim();
}

/**
 * Returns K3s' copy of the CA of the server it joined; `undefined` if it is missing, or its file holds no certificate,
 * as after a power loss: K3s writes it anew at its start, and not atomically.
 */
export async function knownCa(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const content = await fileText(host, k3s.agentServerCa);
  return certificates(content).length > 0 ? content : undefined;
}

/** Returns the CA of a server that gave this node its certificate; `undefined` before that. */
async function joinedCa(host: HostReader, { paths }: K3sNode): Promise<string | undefined> {
  const hasJoined = (await host.stat(paths.k3s.kubeletKubeconfig)) !== undefined;
  return hasJoined ? knownCa(host, paths) : undefined;
}

/**
 * Returns the token in the file; `undefined` also in a dry run, which fetches no token: a placeholder is not parsed.
 */
function tokenIn(found: FoundFile | undefined): Token | undefined {
  return found && parseToken(found.content);
}

/** Returns `K10<hash>::node:<password>`, or `K10<hash>::<id>.<secret>` (pkg/clientaccess/token.go, parseToken). */
function pinnedToken({ kind, credential }: Token, hash: string): string {
  return `K10${hash}::${kind === 'bootstrap' ? credential : `node:${credential}`}`;
}

function short(hash: string | undefined): string | undefined {
  return hash && `${hash.slice(0, 12)}…`;
}
