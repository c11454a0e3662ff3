import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { pemCertificates } from '../../engine/pem.ts';
import { readMetadata } from './imds-request.ts';

/**
 * The certificate that identifies this VM to Oracle Cloud, its private key, and the intermediates up to Oracle's root.
 */
export interface InstanceCertificates {
  readonly leaf: X509Certificate;
  readonly key: KeyObject;
  readonly intermediates: readonly X509Certificate[];
  /** The OCID of the tenancy, from the subject of the leaf. */
  readonly tenancy: string;
}

/** The largest number of intermediates to send in a request for a token. Oracle Cloud uses one. */
const mostIntermediates = 8;

/**
 * Reads the certificates of this VM from the metadata service. Throws `InstancePrincipalUnavailable` if they are
 * unusable, and the errors of the metadata service.
 */
export async function readCertificates(host: HostReader, endpoint: string): Promise<InstanceCertificates> {
  const [cert, key, intermediate] = await Promise.all([
    readMetadata(host, endpoint, 'identity/cert.pem'),
    readMetadata(host, endpoint, 'identity/key.pem'),
    readMetadata(host, endpoint, 'identity/intermediate.pem'),
  ]);
  return understood(() => {
    const leaf = new X509Certificate(cert);
    const tenancy = tenancyOf(leaf);
    const privateKey = createPrivateKey(key);
    // Oracle Cloud may have replaced the certificate between two of these requests.
    if (tenancy === undefined || !leaf.checkPrivateKey(privateKey)) {
      throw new Error('they do not belong together');
    }
    const intermediates = pemCertificates(intermediate)
      .slice(0, mostIntermediates)
      .map((each) => new X509Certificate(each));
    return { leaf, key: privateKey, intermediates, tenancy };
  });
}

/**
 * Returns the tenancy's OCID in a certificate's subject, from `OU=opc-tenant:OCID` or `opc-identity:OCID` (oci-go-sdk,
 * common/auth/utils.go); `undefined` without either.
 */
function tenancyOf({ subject }: X509Certificate): string | undefined {
  return /opc-(?:tenant|identity):([\w.-]+)/.exec(subject)?.[1];
}

/**
 * Returns the result of `read`. Throws `InstancePrincipalUnavailable` if `read` throws, without the cause, which could
 * quote the private key.
 */
function understood(read: () => InstanceCertificates): InstanceCertificates {
  try {
    return read();
  } catch {
    throw new NodeError(
      'InstancePrincipalUnavailable',
      'The certificate of this instance, its key and its issuer, as the metadata service has them below /opc/v2/identity/, cannot be used together. ' +
        'They are replaced several times a day, and are read again; check oracle.imdsEndpoint if this stays.',
    );
  }
}
