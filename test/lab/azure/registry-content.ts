/** The content of one registry, in memory: repositories with tags and manifests, and blobs. */
import { type Blob, type Image, smallImage } from './image.ts';

interface Repository {
  readonly manifests: Map<string, Blob>;
  /** The digest of each tag's manifest. */
  readonly tags: Map<string, string>;
}

export class RegistryContent {
  readonly #repositories = new Map<string, Repository>();
  readonly #blobs = new Map<string, Blob>();

  /** Adds an image under a tag, and returns the image. The default image is small and contains the name and the tag. */
  push(name: string, tag: string, image: Image = smallImage(`${name}:${tag}`)): Image {
    const found = this.#repositories.get(name);
    const repository = found ?? { manifests: new Map<string, Blob>(), tags: new Map<string, string>() };
    this.#repositories.set(name, repository);
    for (const manifest of [image.index, ...image.manifests]) {
      repository.manifests.set(manifest.digest, manifest);
    }
    for (const blob of image.blobs) {
      this.#blobs.set(blob.digest, blob);
    }
    repository.tags.set(tag, image.index.digest);
    return image;
  }

  has(name: string): boolean {
    return this.#repositories.has(name);
  }

  /** Returns the manifest with this tag or digest in the repository `name`; `undefined` if it is missing. */
  manifest(name: string, reference: string): Blob | undefined {
    const repository = this.#repositories.get(name);
    return repository?.manifests.get(repository.tags.get(reference) ?? reference);
  }

  tags(name: string, digest: string): readonly string[] {
    const tags = [...(this.#repositories.get(name)?.tags ?? [])];
    return tags.flatMap(([tag, points]) => (points === digest ? [tag] : []));
  }

  blob(digest: string): Buffer | undefined {
    return this.#blobs.get(digest)?.content;
  }
}
