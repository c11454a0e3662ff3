/**
 * The part of Azure's registry metadata API that a pull check uses: the properties of one tag or one manifest.
 *
 * Models the operations ContainerRegistry_GetTagProperties and _GetManifestProperties of the REST description from
 * which @azure/container-registry 1.1.2 is generated (api-version 2021-07-01).
 */
import { type Blob, mediaTypes } from './image.ts';
import type { Incoming, Reply } from './loopback.ts';
import type { Registry } from './registry.ts';
import { failed } from './registry-errors.ts';

const since = '2026-01-01T00:00:00.0000000Z';
const changeableAttributes = {
  deleteEnabled: true,
  writeEnabled: true,
  readEnabled: true,
  listEnabled: true,
};

export interface MetadataRequest {
  readonly name: string;
  readonly kind: 'tags' | 'manifests';
  readonly reference: string;
}

/** Parses a path below /acr/v1/ that names a tag or a manifest; returns `undefined` for any other path. */
export function parseMetadataPath(path: string): MetadataRequest | undefined {
  const [, name, kind, reference] =
    /^\/acr\/v1\/(.+)\/_(tags|manifests)\/([^/]+)$/.exec(decodeURIComponent(path)) ?? [];
  if (name === undefined || reference === undefined || (kind !== 'tags' && kind !== 'manifests')) {
    return undefined;
  }
  return { name, kind, reference };
}

export function metadata(request: Incoming, asked: MetadataRequest, registry: Registry): Reply {
  const { name, kind, reference } = asked;
  if (request.url.searchParams.get('api-version') !== '2021-07-01') {
    return failed(400, 'UNSUPPORTED_API_VERSION', 'the api-version is not supported');
  }
  const found = registry.content.manifest(name, reference);
  const isDigest = reference.startsWith('sha256:');
  if (!registry.content.has(name)) {
    return failed(404, 'NAME_UNKNOWN', `repository ${name} is not found`);
  }
  if (kind === 'tags') {
    return found && !isDigest ? tagProperties(registry, asked, found) : tagUnknown(reference);
  }
  return found && isDigest ? manifestProperties(registry, asked, found) : manifestUnknown(reference);
}

function tagProperties({ loginServer }: Registry, { name, reference }: MetadataRequest, found: Blob): Reply {
  const times = { createdTime: since, lastUpdateTime: since };
  const tag = { name: reference, digest: found.digest, ...times, signed: false, changeableAttributes };
  return { status: 200, body: { registry: loginServer, imageName: name, tag } };
}

function manifestProperties(registry: Registry, { name }: MetadataRequest, found: Blob): Reply {
  const { digest, mediaType, content } = found;
  const isIndex = mediaType === mediaTypes.index;
  const platform = isIndex ? { references: references(content) } : { architecture: 'amd64', os: 'linux' };
  const manifest = {
    digest,
    imageSize: content.length,
    createdTime: since,
    lastUpdateTime: since,
    mediaType,
    tags: registry.content.tags(name, digest),
    changeableAttributes,
    ...platform,
  };
  return { status: 200, body: { registry: registry.loginServer, imageName: name, manifest } };
}

function references(index: Buffer) {
  const { manifests = [] } = JSON.parse(index.toString('utf8'));
  return manifests.map(({ digest, platform }: { digest: string; platform: object }) => ({
    digest,
    ...platform,
  }));
}

function tagUnknown(tag: string): Reply {
  return failed(404, 'TAG_UNKNOWN', 'the specified tag does not exist', { tag });
}

function manifestUnknown(digest: string): Reply {
  return failed(404, 'MANIFEST_UNKNOWN', `manifest ${digest} is not found`);
}
