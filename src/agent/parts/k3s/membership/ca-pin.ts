import type { FoundFile, Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { certificates, pinnedCa } from './ca.ts';
import { parseToken, type Token } from './token.ts';

/**
 * Pins the CA of the cluster in the token file of an agent that has joined. Leaves a token that already pins a CA
 * unchanged.
 *
 * Without a pin, K3s downloads the CA at every start and joins any server that answers (pkg/clientaccess/token.go,
 * validateCAHash): at its next reboot, the node would even join a rebuilt server or an impostor.
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

/** Returns the drift of a token file that does not pin this CA. The drift does not block; its remedy pins the CA. */
export function pin({ paths }: K3sNode, token: Token, hash: string): Finding {
  const changes = [{ field: 'CA', observed: short(token.caHash), desired: short(hash) }];
  const summary = `pin the CA of the cluster in ${paths.slipway.joinToken}`;
  const remedy = (host: Host) => writePinned(host, paths, token, hash);
  return { state: 'Drifted', drift: { changes, summary, blocks: false, remedy } };
}

/** Pins the CA in the token file, in place of any other pin; leaves a file without a token unchanged. */
export async function repin(host: Host, { paths }: K3sNode, hash: string): Promise<void> {
  const token = tokenIn(await host.readFile(paths.slipway.joinToken));
  if (token && token.caHash !== hash) {
    await writePinned(host, paths, token, hash);
  }
}

/** Writes the token, with a pin of this CA, to the token file. */
export async function writePinned(
  host: Host,
  { slipway }: NodePaths,
  token: Token,
  hash: string,
): Promise<void> {
  const text = new Secret(`${pinnedToken(token, hash)}\n`, `${redacted}\n`);
  await host.writeFile(slipway.joinToken, text, { mode: 0o600 });
}

/**
 * Returns the CA hash that the token file pins; `undefined` if the file is missing, contains no token or pins no CA.
 */
export async function pinnedHash(host: HostReader, { slipway }: NodePaths): Promise<string | undefined> {
  return tokenIn(await host.readFile(slipway.joinToken))?.caHash;
}

/** Returns the credential of the token in `text` if the token pins the known CA; otherwise `text` itself, trimmed. */
export function unpinnedToken(text: string, known: string): string {
  const token = parseToken(text);
  return token && token.caHash === pinnedCa(known).hash ? token.credential : text.trim();
}

/**
 * Returns the copy of its server's CA that K3s keeps. `undefined` if the file is missing or contains no certificate, as
 * after a power loss: K3s writes the file at each start, but not atomically.
 */
export async function knownCa(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const content = await fileText(host, k3s.agentServerCa);
  return certificates(content).length > 0 ? content : undefined;
}

/**
 * Returns the known CA if the server has issued a certificate to this node; `undefined` before that, or if the CA is
 * missing or damaged.
 */
async function joinedCa(host: HostReader, { paths }: K3sNode): Promise<string | undefined> {
  const hasJoined = (await host.stat(paths.k3s.kubeletKubeconfig)) !== undefined;
  return hasJoined ? knownCa(host, paths) : undefined;
}

/**
 * Returns the token in the file; `undefined` if the file is missing or its content is not a token, such as the
 * placeholder of a dry run.
 */
function tokenIn(found: FoundFile | undefined): Token | undefined {
  return found && parseToken(found.content);
}

/**
 * Returns the token with a pin: `K10<hash>::node:<password>` or `K10<hash>::<id>.<secret>` (pkg/clientaccess/token.go,
 * parseToken).
 */
function pinnedToken({ kind, credential }: Token, hash: string): string {
  return `K10${hash}::${kind === 'bootstrap' ? credential : `node:${credential}`}`;
}

function short(hash: string | undefined): string | undefined {
  return hash && `${hash.slice(0, 12)}…`;
}
