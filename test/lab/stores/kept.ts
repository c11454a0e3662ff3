/** An object that an emulated store keeps. */
export interface Kept {
  readonly content: Buffer;
  /** The SHA-256 that the client stated in the metadata of the object. */
  readonly sha256: string | undefined;
  readonly modifiedAt: number;
}

/** One page of the objects whose names begin with `prefix`, in order, and the name at which the next page begins. */
export interface KeptPage {
  readonly objects: readonly (readonly [string, Kept])[];
  readonly next: string | undefined;
}

export function pageOf(
  all: ReadonlyMap<string, Kept>,
  { prefix, start, size }: { readonly prefix: string; readonly start: string; readonly size: number },
): KeptPage {
  const found = [...all]
    .filter(([name]) => name.startsWith(prefix) && name >= start)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return { objects: found.slice(0, size), next: found[size]?.[0] };
}
