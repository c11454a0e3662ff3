import { makeAuthority } from '../../../lab/standins/k3s-certificates.ts';

/** The CA of a K3s server. */
export function aCa(): string {
  return makeAuthority('k3s-server-ca@1700000000').certificate;
}
