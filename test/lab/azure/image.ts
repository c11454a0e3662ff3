/** Builds small container images (OCI image specification 1.0) with the same bytes in every run. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { tarball } from '../tar.ts';

/** Content that a registry keeps by digest: an index, a manifest, a config or a layer. */
export interface Blob {
  readonly digest: string;
  readonly mediaType: string;
  readonly content: Buffer;
}

export interface Image {
  readonly index: Blob;
  /** The manifests, one per platform. */
  readonly manifests: readonly Blob[];
  /** The configs and layers. */
  readonly blobs: readonly Blob[];
}

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** Returns an image for linux/amd64 and linux/arm64, each with one layer of a few KB that contains the text. */
export function smallImage(text: string): Image {
  const platforms = ['amd64', 'arm64'].map((architecture) => onePlatform(text, architecture));
  const manifests = platforms.map(({ manifest, architecture }) => ({
    ...descriptor(manifest),
    platform: { architecture, os: 'linux' },
  }));
  return {
    index: json(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests }),
    manifests: platforms.map(({ manifest }) => manifest),
    blobs: platforms.flatMap(({ config, layer }) => [config, layer]),
  };
}

function onePlatform(text: string, architecture: string) {
  const { packed, diffId } = files({
    'hello.txt': Buffer.from(`${text} on ${architecture}\n`),
    noise: noise(4096, `${text} ${architecture}`),
  });
  const layer = blob(mediaTypes.layer, packed);
  const config = json(mediaTypes.config, {
    architecture,
    os: 'linux',
    created: '2026-01-01T00:00:00Z',
    config: { Cmd: ['/hello'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  });
  const manifest = json(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
  return { architecture, layer, config, manifest };
}

function files(members: Readonly<Record<string, Buffer>>) {
  const packed = tarball(members);
  return { packed, diffId: digestOf(gunzipSync(packed)) };
}

/** Returns incompressible bytes that depend only on the length and the seed; the length must be a multiple of 32. */
function noise(length: number, seed: string): Buffer {
  const parts = Array.from({ length: length / 32 }, (_, at) => sha256(`${seed} ${at}`));
  return Buffer.concat(parts);
}

function json(mediaType: string, value: object): Blob {
  return blob(mediaType, Buffer.from(JSON.stringify(value)));
}

function blob(mediaType: string, content: Buffer): Blob {
  return { digest: digestOf(content), mediaType, content };
}

function descriptor({ mediaType, digest, content }: Blob) {
  return { mediaType, digest, size: content.length };
}

function digestOf(content: Buffer): string {
  return `sha256:${sha256(content).toString('hex')}`;
}

function sha256(content: Buffer | string): Buffer {
  return createHash('sha256').update(content).digest();
}
