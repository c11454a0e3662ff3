import { sha256 } from '../../../engine/digest.ts';
import type { Host, HostReader } from '../../../engine/host.ts';

/** What was proven of one login server, and with which credential. */
export interface Proof {
  /** The sha256 of the credential, in hex. */
  readonly credential: string;
  /** The images that were pulled from; none where the credential alone was proven. */
  readonly images: readonly string[];
  /** What came of it, for people. */
  readonly result: string;
  /** True if the registry did not accept the credential. */
  readonly refused?: boolean;
}

const mode = 0o600;

type Proofs = Readonly<Record<string, Proof>>;

/**
 * What was proven of a server. The record is a note about the world, as the start stamp is: nothing else can tell which
 * credential was proven, and without it the proof is made again.
 */
export async function readProof(host: HostReader, path: string, server: string): Promise<Proof | undefined> {
  const proofs = await readProofs(host, path);
  return Object.hasOwn(proofs, server) ? proofs[server] : undefined;
}

/** How a record names a credential: its sha256 in hex. */
export function credentialDigest(username: string, password: string): string {
  return sha256(`${username}:${password}`);
}

/** The digests of credentials that their registry refused at the last proof; none if the record cannot be read. */
export async function refusedCredentials(host: HostReader, path: string): Promise<ReadonlySet<string>> {
  const proofs = Object.values(await readProofs(host, path).catch((): Proofs => ({})));
  return new Set(proofs.filter(({ refused }) => refused).map(({ credential }) => credential));
}

/** Adds a proof to those of the other servers. */
export async function writeProof(host: Host, path: string, server: string, proof: Proof): Promise<void> {
  const proofs = { ...(await readProofs(host, path)), [server]: proof };
  await host.writeFile(path, `${JSON.stringify(proofs, undefined, 2)}\n`, { mode });
}

async function readProofs(host: HostReader, path: string): Promise<Proofs> {
  const found = await host.readFile(path);
  // What others could have written proves nothing.
  if (!found || found.mode !== mode || found.foreignOwner !== undefined) return {};
  try {
    const proofs: unknown = JSON.parse(found.content);
    return Object.fromEntries(
      Object.entries(Object(proofs)).filter((entry): entry is [string, Proof] => isProof(entry[1])),
    );
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return {};
    throw thrown;
  }
}

function isProof(value: unknown): value is Proof {
  const { credential, images, result } = Object(value);
  return typeof credential === 'string' && Array.isArray(images) && typeof result === 'string';
}
