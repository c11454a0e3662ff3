import type { Host } from '../../engine/host.ts';
import type { CloudStorage } from '../cloud-storage.ts';
import { requireOwnHost } from '../own-hosts.ts';
import type { InstancePrincipal } from './identity.ts';
import type { Place } from './imds.ts';
import { signedRequest } from './signature.ts';

export interface ObjectStorageOptions {
  readonly host: Host;
  readonly principal: InstancePrincipal;
  readonly place: () => Promise<Place>;
}

/**
 * Makes the access to Oracle Cloud's Object Storage with the instance principal. Source: oci-typescript-sdk,
 * lib/objectstorage (host name; a PUT is signed like a GET).
 */
export function objectStorage({ host, principal, place }: ObjectStorageOptions): CloudStorage {
  const serviceName = async () => {
    const { region, domain } = await place();
    return `objectstorage.${region}.${domain}`;
  };
  return {
    kind: 'objects',
    origin: async () => `https://${await serviceName()}`,
    async authorize(request) {
      const { region, domain } = await place();
      requireOwnHost(new URL(request.url).hostname, {
        domains: [`${region}.${domain}`],
        setting: 'backup.to',
        consented: [],
      });
      return signedRequest(request, await principal.key(), host.now()).headers ?? {};
    },
    forget: () => principal.forget(),
  };
}
