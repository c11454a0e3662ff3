import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { pemCertificates } from '../../engine/pem.ts';
import { askMetadata } from './imds-request.ts';

/** The certificate by which Oracle Cloud knows this VM, its key, and the certificates that lead to Oracle's root. */
export interface InstanceCertificates {
  readonly leaf: X509Certificate;
  readonly key: KeyObject;
  readonly intermediates: readonly X509Certificate[];
  /** The OCID of the tenancy, from the subject of the leaf. */
  readonly tenancy: string;
}

/** Oracle Cloud has one today. */
const mostIntermediates = 8;

/** Reads the certificates of this VM. Throws `InstancePrincipalUnavailable`, and the errors of the metadata service. */
export async function readCertificates(host: HostReader, endpoint: string): Promise<InstanceCertificates> {
  const [cert, key, intermediate] = await Promise.all([
    askMetadata(host, endpoint, 'identity/cert.pem'),
    askMetadata(host, endpoint, 'identity/key.pem'),
    askMetadata(host, endpoint, 'identity/intermediate.pem'),
  ]);
  return understood(() => {
    const leaf = new X509Certificate(cert);
    const tenancy = tenancyOf(leaf);
    const privateKey = createPrivateKey(key);
    // The certificate may be replaced between two requests.
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
 * Returns the tenancy in a subject: `OU=opc-tenant:OCID`, or `opc-identity:OCID` (oci-go-sdk, common/auth/utils.go).
 */
function tenancyOf({ subject }: X509Certificate): string | undefined {
  return /opc-(?:tenant|identity):([\w.-]+)/.exec(subject)?.[1];
}

/** Returns what `read` makes of the certificates; quotes nothing of them in its error, since one is a private key. */
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
