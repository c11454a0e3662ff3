/** The certificates of an instance of Oracle Cloud, and its metadata service in memory. */
import { createHash, generateKeyPairSync, type X509Certificate } from 'node:crypto';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { Federation, type InstanceFiles } from '../../../../lab/oracle/federation.ts';

export const imdsEndpoint = 'http://169.254.169.254';
export const tenancy = 'ocid1.tenancy.oc1..aaaa';

const federation = new Federation({ tenancy, now: () => Date.UTC(2026, 0, 1) });

/** Returns the files of a new certificate below /opc/v2/identity/. */
export function instanceFiles(): InstanceFiles {
  return federation.certify({ id: 'ocid1.instance.oc1..a', compartment: 'ocid1.compartment.oc1..b' });
}

/** Lets the metadata service answer with these files; each request reads the current ones. */
export function withIdentity(host: MemoryHost, files: () => Partial<InstanceFiles>): MemoryHost {
  return host.onGet(/^http:\/\/169\.254\.169\.254\/opc\/v2\/identity\//, ({ url }) => {
    const content = new Map(Object.entries(files())).get(url.split('/').at(-1) ?? '');
    return content === undefined ? { status: 404 } : content;
  });
}

/** Returns the digest of a certificate as a key id contains it. */
export function fingerprintOf({ raw }: X509Certificate): string {
  const digest = createHash('sha1').update(raw).digest('hex').toUpperCase();
  return digest.match(/../g)?.join(':') ?? '';
}

/** The keys of a session; short, since making long ones takes a third of a second. */
export const sessionKeys = generateKeyPairSync('rsa', { modulusLength: 1024 });
