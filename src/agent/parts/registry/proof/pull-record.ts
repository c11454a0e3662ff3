import * as z from 'zod/mini';
import { sha256 } from '../../../engine/digest.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { ownFiles } from '../../../own-files.ts';
import { isPrivate } from '../../../resources/file-attributes.ts';

/** What was proven of one login server, and with which credential. */
export type Proof = Readonly<z.output<typeof proofSchema>>;

const proofSchema = z.object({
  /** The sha256 of the credential, in hex. */
  credential: z.string(),
  /** The images that were pulled from; none where the credential alone was proven. */
  images: z.readonly(z.array(z.string())),
  /** What came of it, for people. */
  result: z.string(),
  /** True if the registry did not accept the credential. */
  refused: z.optional(z.boolean()),
});

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

/** The credential that each server refused at its last proof, by server; none if the record cannot be read. */
export async function refusedCredentials(
  host: HostReader,
  path: string,
): Promise<ReadonlyMap<string, string>> {
  const proofs = Object.entries(await readProofs(host, path).catch((): Proofs => ({})));
  return new Map(
    proofs.flatMap(([server, { credential, refused }]) => (refused ? [[server, credential] as const] : [])),
  );
}

/** Adds a proof to those of the other servers. */
export async function writeProof(host: Host, path: string, server: string, proof: Proof): Promise<void> {
  const proofs = { ...(await readProofs(host, path)), [server]: proof };
  await host.writeFile(path, renderOwn(ownFiles.pullProof, { servers: proofs }), { mode });
}

async function readProofs(host: HostReader, path: string): Promise<Proofs> {
  const found = await host.readFile(path);
  // What others could have written proves nothing.
  if (!found || !isPrivate(found)) return {};
  const { servers } = readOwn(record, found.content) ?? {};
  return Object.fromEntries(
    Object.entries(servers ?? {}).flatMap(([server, value]) => {
      const proof = z.safeParse(proofSchema, value).data;
      return proof === undefined ? [] : [[server, proof] as const];
    }),
  );
}

const byServer = z.record(z.string(), z.unknown());

/** Before there were formats the servers stood at the top. */
const record = z.union([
  z.object({ servers: byServer }),
  z.pipe(
    byServer,
    z.transform((servers) => ({ servers })),
  ),
]);
