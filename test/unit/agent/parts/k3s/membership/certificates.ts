import { type Certificate, crossSign, makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';

/** The CA of a K3s server. */
export function aCa(): string {
  return anAuthority().certificate;
}

/** The CA of a K3s server with its key, to sign with. */
export function anAuthority(): Certificate {
  return makeAuthority('k3s-server-ca@1700000000');
}

/** The CA file of a server whose operator replaced its CA with one that the old CA certified. */
export function rotated(old: Certificate): string {
  const fresh = makeAuthority('k3s-server-ca@1800000000');
  return fresh.certificate + crossSign(fresh, old);
}
