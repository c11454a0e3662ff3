/** The certificates of an instance of Oracle Cloud, and a metadata service in memory that serves them. */
import { createHash, generateKeyPairSync, type X509Certificate } from 'node:crypto';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { Federation, type InstanceFiles } from '../../../../lab/oracle/federation.ts';

export const imdsEndpoint = 'http://169.254.169.254';
export const tenancy = 'ocid1.tenancy.oc1..aaaa';

const federation = new Federation({ tenancy, now: () => Date.UTC(2026, 0, 1) });

/** Returns the files that the metadata service serves below /opc/v2/identity/, with a new certificate. */
export function instanceFiles(): InstanceFiles {
  return federation.certify({ id: 'ocid1.instance.oc1..a', compartment: 'ocid1.compartment.oc1..b' });
}

/** Makes the metadata service serve these files, and 404 for a missing file. Calls `files` again for each request. */
export function withIdentity(host: MemoryHost, files: () => Partial<InstanceFiles>): MemoryHost {
  return host.onGet(/^http:\/\/169\.254\.169\.254\/opc\/v2\/identity\//, ({ url }) => {
    const content = new Map(Object.entries(files())).get(url.split('/').at(-1) ?? '');
    return content === undefined ? { status: 404 } : content;
  });
}

/** Returns the SHA-1 fingerprint of a certificate in the form that key ids contain. */
export function fingerprintOf({ raw }: X509Certificate): string {
  const digest = createHash('sha1').update(raw).digest('hex').toUpperCase();
  return digest.match(/../g)?.join(':') ?? '';
}

/** The key pair of a session. The keys are short, because generating long keys takes a third of a second. */
export const sessionKeys = generateKeyPairSync('rsa', { modulusLength: 1024 });
