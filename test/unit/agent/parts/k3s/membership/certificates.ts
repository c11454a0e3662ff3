import { type Certificate, crossSign, makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';

/** Creates the CA certificate of a K3s server. */
export function aCa(): string {
  return anAuthority().certificate;
}

/** Creates the CA of a K3s server, with a key to sign certificates. */
export function anAuthority(): Certificate {
  return makeAuthority('k3s-server-ca@1700000000');
}

/** Creates the CA file of a server whose operator replaced the CA `old` with a new CA, which `old` has also signed. */
export function rotated(old: Certificate): string {
  const fresh = makeAuthority('k3s-server-ca@1800000000');
  return fresh.certificate + crossSign(fresh, old);
}
