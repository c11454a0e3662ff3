import type { Content } from '../engine/secret.ts';

/** A request to the object storage of a cloud, before it is authorized. */
export interface StorageRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly url: string;
}

/** The object storage of a cloud, to which the VM's identity gives access. */
export interface CloudStorage {
  /** The protocol of the storage. */
  readonly kind: 'blob' | 'objects';
  /**
   * Returns the origin of the storage in the region of this VM; `undefined` if the address of a store names the origin.
   * Throws the errors of the metadata service.
   */
  origin(): Promise<string | undefined>;
  /**
   * Returns the headers that authorize a request. Throws `ForeignHost` for a host outside the storage of the cloud, and
   * the errors of the identity.
   */
  authorize(request: StorageRequest): Promise<Readonly<Record<string, Content>>>;
  /** Discards what a change of the identity's rights would make outdated, such as a token. */
  forget(): void;
}
