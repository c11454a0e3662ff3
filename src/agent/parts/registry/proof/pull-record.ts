import * as z from 'zod/mini';
import { sha256 } from '../../../engine/digest.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { ownFiles } from '../../../own-files.ts';
import { isPrivate } from '../../../resources/file-attributes.ts';

/** What was proven for one login server, and with which credential. */
export type Proof = Readonly<z.output<typeof proofSchema>>;

const proofSchema = z.object({
  /** The sha256 of the credential, in hex. */
  credential: z.string(),
  /** The images that were pulled from; an empty list if only the login was proven. */
  images: z.readonly(z.array(z.string())),
  /** The result, for people. */
  result: z.string(),
  /** True if the registry did not accept the credential. */
  refused: z.optional(z.boolean()),
});

const mode = 0o600;

type Proofs = Readonly<Record<string, Proof>>;

/**
 * Returns what was proven for a server; `undefined` if nothing was. Only the record knows which credential was proven:
 * without it the proof is repeated.
 */
export async function readProof(host: HostReader, path: string, server: string): Promise<Proof | undefined> {
  const proofs = await readProofs(host, path);
  return Object.hasOwn(proofs, server) ? proofs[server] : undefined;
}

/** Returns the sha256 of a credential in hex, which stands for it in a record. */
export function credentialDigest(username: string, password: string): string {
  return sha256(`${username}:${password}`);
}

/**
 * Returns the digest of each credential that was refused at its last proof, by server; none if the record is
 * unreadable.
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

/** Writes the proof of a server, and keeps those of the others. */
export async function writeProof(host: Host, path: string, server: string, proof: Proof): Promise<void> {
  const proofs = { ...(await readProofs(host, path)), [server]: proof };
  await host.writeFile(path, renderOwn(ownFiles.pullProof, { servers: proofs }), { mode });
}

async function readProofs(host: HostReader, path: string): Promise<Proofs> {
  const found = await host.readFile(path);
  // Others could have written this file.
  if (!found || !isPrivate(found)) {
    return {};
  }
  const { servers } = readOwn(record, found.content) ?? {};
  return Object.fromEntries(
    Object.entries(servers ?? {}).flatMap(([server, value]) => {
      const proof = z.safeParse(proofSchema, value).data;
      return proof === undefined ? [] : [[server, proof] as const];
    }),
  );
}

const byServer = z.record(z.string(), z.unknown());

/** Releases without formats had the servers at the top level. */
const record = z.union([
  z.object({ servers: byServer }),
  z.pipe(
    byServer,
    z.transform((servers) => ({ servers })),
  ),
]);
