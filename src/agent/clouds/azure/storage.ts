import type { TokenCredential } from '@azure/identity';
import { Secret } from '../../engine/secret.ts';
import type { CloudStorage } from '../cloud-storage.ts';
import { requireOwnHost } from '../own-hosts.ts';
import { type Environment, storageDomain } from './environments.ts';

/**
 * The audience of tokens for blob storage in every Azure cloud ("Authorize access to blobs with Microsoft Entra ID").
 */
const audience = 'https://storage.azure.com/.default';

export interface BlobStorageOptions {
  readonly credential: TokenCredential;
  readonly environment: () => Promise<Environment>;
  readonly consented: readonly string[];
}

/** Makes the access to Azure Blob Storage with the VM's managed identity. */
export function blobStorage({ credential, environment, consented }: BlobStorageOptions): CloudStorage {
  return {
    kind: 'blob',
    origin: async () => undefined,
    async authorize({ url }) {
      const { hostname } = new URL(url);
      const domains = [storageDomain(await environment())];
      requireOwnHost(hostname, { domains, setting: 'backup.to or azure.environment', consented });
      const token = await credential.getToken(audience);
      return { authorization: new Secret(`Bearer ${token?.token ?? ''}`) };
    },
    // The storage looks up the roles of the identity for each request, so an older token has the new roles too.
    forget() {},
  };
}
