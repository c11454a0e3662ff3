import * as z from 'zod/mini';
import { sha256 } from '../../../engine/digest.ts';
import type { HttpResponse } from '../../../engine/host.ts';
import { parseJson } from '../../../engine/json.ts';
import { imageNotFound, pullRefused, unexpected } from '../proof/pull-errors.ts';
import { ask, openSession, type RegistrySession } from './registry-session.ts';

/** An image that the settings name. */
export interface Image {
  /** The full name, such as `myteam.azurecr.io/base/alpine:3.22`. */
  readonly name: string;
  readonly server: string;
  readonly repository: string;
  readonly tag: string;
}

/** Splits the name of an image, whose form the schema of the settings has checked. */
export function parseImage(name: string): Image {
  const slash = name.indexOf('/');
  const colon = name.lastIndexOf(':');
  const [server, repository, tag] = [
    name.slice(0, slash),
    name.slice(slash + 1, colon),
    name.slice(colon + 1),
  ];
  return { name, server, repository, tag };
}

const descriptor = z.object({ digest: z.string(), size: z.number() });
const platform = z.object({ os: z.string(), architecture: z.string() });

/**
 * The schema of an image manifest or an index of manifests (OCI Image Format; Docker's two formats have the same
 * fields).
 */
const manifestSchema = z.object({
  layers: z.optional(z.array(descriptor)),
  manifests: z.optional(z.array(z.object({ digest: z.string(), platform: z.optional(platform) }))),
});

type Manifest = z.output<typeof manifestSchema>;

/** A layer in a manifest, with its size in bytes. */
export type Layer = z.output<typeof descriptor>;

export interface FoundImage {
  /** The digest to which the tag points: that of the index if the image has one, otherwise that of the manifest. */
  readonly digest: string;
  readonly layers: readonly Layer[];
  /** The session for fetching the layers. */
  readonly session: RegistrySession;
}

const accept = {
  accept: [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', '),
};

/**
 * Finds the layers of an image for an architecture, and verifies the digests. Throws `ProofImageNotFound` if the image
 * does not exist for this architecture; also throws `PullDenied` and the errors of `openSession`.
 */
export async function findImage(
  opening: RegistrySession,
  image: Image,
  arch: 'x64' | 'arm64',
): Promise<FoundImage> {
  const { response, session } = await openSession(opening, pathOf(image, image.tag), accept);
  const { digest, manifest } = read(response, session, image, response.headers['docker-content-digest']);
  const { layers = [] } = await forPlatform(manifest, session, image, arch);
  return { digest, layers, session };
}

function pathOf({ repository }: Image, reference: string): string {
  return `/v2/${repository}/manifests/${reference}`;
}

function read(
  response: HttpResponse,
  session: RegistrySession,
  image: Image,
  promised: string | undefined,
): { readonly digest: string; readonly manifest: Manifest } {
  const { server } = session;
  if (response.status !== 200) {
    throw pullRefused(response, session, image.name, 'the registry does not have it');
  }
  const digest = `sha256:${sha256(response.body)}`;
  if (promised !== undefined && promised !== digest) {
    throw unexpected(server, `promises ${promised} for ${image.name} and sends ${digest}`);
  }
  const manifest = parseJson(manifestSchema, response.body);
  if (manifest === undefined) {
    throw unexpected(server, `sends no manifest for ${image.name}`);
  }
  return { digest, manifest };
}

async function forPlatform(
  manifest: Manifest,
  session: RegistrySession,
  image: Image,
  arch: 'x64' | 'arm64',
): Promise<Manifest> {
  if (manifest.manifests === undefined) {
    return manifest;
  }
  const architecture = arch === 'x64' ? 'amd64' : arch;
  const fitting = manifest.manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  if (fitting === undefined) {
    throw imageNotFound(image.name, `it is not made for linux/${architecture}`);
  }
  const response = await ask(session, pathOf(image, fitting.digest), accept);
  return read(response, session, image, fitting.digest).manifest;
}
