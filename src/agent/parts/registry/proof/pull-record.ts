import * as z from 'zod/mini';
import { sha256 } from '../../../engine/digest.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { remembering } from '../../../engine/remembering.ts';
import { ownFiles } from '../../../own-files.ts';
import { isPrivate } from '../../../resources/file-attributes.ts';

/** The result of a pull check for one login server, with a digest of the credential that was checked. */
export type Proof = Readonly<z.output<typeof proofSchema>>;

const proofSchema = z.object({
  /** The SHA-256 of the credential, in hex. */
  credential: z.string(),
  /** The images that the check pulls; an empty list if only the login was checked. */
  images: z.readonly(z.array(z.string())),
  /** The result, for people. */
  result: z.string(),
  /** True if the registry did not accept the credential. */
  refused: z.optional(z.boolean()),
});

const mode = 0o600;

type Proofs = Readonly<Record<string, Proof>>;

/**
 * Returns the last proof for a server; `undefined` if the record has none. Only the record shows which credential was
 * checked, so without the record the check is repeated.
 */
export async function readProof(host: HostReader, path: string, server: string): Promise<Proof | undefined> {
  const proofs = await readProofs(host, path);
  return Object.hasOwn(proofs, server) ? proofs[server] : undefined;
}

/** Returns the SHA-256 of a credential in hex, which replaces the credential in a record. */
export function credentialDigest(username: string, password: string): string {
  return sha256(`${username}:${password}`);
}

/**
 * Returns the digest of each credential that was refused in its last pull check, by server; an empty map if the record
 * is unreadable.
 */
export async function refusedCredentials(
  host: HostReader,
  path: string,
): Promise<ReadonlyMap<string, string>> {
  const proofs = Object.entries(await readProofs(host, path).catch((): Proofs => ({})));
  return new Map(
    proofs.flatMap(([server, { credential, refused }]) => (refused ? [[server, credential] as const] : [])),
  );
}

/** Writes the proof for a server, and keeps the proofs for the other servers. */
export async function writeProof(host: Host, path: string, server: string, proof: Proof): Promise<void> {
  const proofs = { ...(await readProofs(host, path)), [server]: proof };
  await host.writeFile(path, renderOwn(ownFiles.pullProof, { servers: proofs }), { mode });
}

async function readProofs(host: HostReader, path: string): Promise<Proofs> {
  const found = await host.readFile(path);
  // A file that is not private could have been written by another user.
  if (!found || !isPrivate(found)) {
    return {};
  }
  return parsed(found.content, path);
}

const parsed = remembering((content): Proofs => {
  const { servers } = readOwn(record, content) ?? {};
  return Object.fromEntries(
    Object.entries(servers ?? {}).flatMap(([server, value]) => {
      const proof = z.safeParse(proofSchema, value).data;
      return proof === undefined ? [] : [[server, proof] as const];
    }),
  );
});

const byServer = z.record(z.string(), z.unknown());

/** The schema of the record. Releases that predate format numbers wrote the servers at the top level. */
const record = z.union([
  z.object({ servers: byServer }),
  z.pipe(
    byServer,
    z.transform((servers) => ({ servers })),
  ),
]);
