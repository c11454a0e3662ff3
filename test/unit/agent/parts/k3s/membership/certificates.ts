import { type Certificate, crossSign, makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';

/** Makes the CA certificate of a K3s server. */
export function aCa(): string {
  return anAuthority().certificate;
}

/** Makes the CA of a K3s server, with a key to sign certificates. */
export function anAuthority(): Certificate {
  return makeAuthority('k3s-server-ca@1700000000');
}

/** Makes the CA file of a server whose operator replaced the old CA with one that the old CA certified. */
export function rotated(old: Certificate): string {
  const fresh = makeAuthority('k3s-server-ca@1800000000');
  return fresh.certificate + crossSign(fresh, old);
}
