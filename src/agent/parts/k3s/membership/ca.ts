import { X509Certificate } from 'node:crypto';
import { sha256 } from '../../../engine/digest.ts';
import { pemCertificates } from '../../../engine/pem.ts';
import { remembering } from '../../../engine/remembering.ts';

/** The maximum number of certificates to read from a bundle, which may come from an unauthenticated server. */
const longest = 64;

export interface PinnedCa {
  /** The hash that a token pins: lower-case hex sha256. */
  readonly hash: string;
  /** The PEM text of only those certificates in the bundle that the hash vouches for. */
  readonly trusted: string;
}

/**
 * Returns the CA in a bundle as a token pins it (pkg/clientaccess/token.go, hashCA). If a root in the bundle signed the
 * first certificate, directly or through intermediates, the hash is that of the root's DER, and vouches for the chain
 * from the first certificate to the root. Otherwise, as for a single certificate, the hash is that of the whole text.
 */
export function pinnedCa(pem: string): PinnedCa {
  // The hash of a single certificate is that of its text, so it need not be decoded.
  const chain = blocksOf(pem).length < 2 ? undefined : chainOf(certificates(pem));
  const root = chain?.at(-1);
  return chain && root
    ? { hash: sha256(root.raw), trusted: chain.join('') }
    : { hash: sha256(pem), trusted: pem };
}

/**
 * True if the owner of the known CA made the bundle that a server now shows: the bundle is the known text, or each of
 * its certificates is known or belongs to a CA whose key a known root certified, directly or through other certificates
 * in the bundle. False if no CA is known.
 *
 * The known certificate in a bundle proves nothing, since it is public. A matching pin proves nothing either: K3s
 * compares only the root of a chain, and then trusts every certificate beside it (hashCA). A bundle with a block that
 * cannot be parsed as a certificate is rejected, since another parser may read and trust that block.
 */
export function isSuccessor(shown: string, known: string): boolean {
  const before = certificates(known);
  if (before.length === 0) {
    return false;
  }
  if (shown === known) {
    return true;
  }
  const bundle = certificates(shown);
  const roots = rootsOf(known);
  const isReadWhole = bundle.length > 0 && bundle.length === shown.split('-----BEGIN').length - 1;
  const isKnown = (ca: X509Certificate) => before.some((each) => each.raw.equals(ca.raw));
  return isReadWhole && bundle.every((each) => isKnown(each) || isVouchedFor(each, bundle, roots));
}

/** Returns the certificates in the first 64 certificate blocks of a PEM text; omits damaged blocks. */
export function certificates(pem: string): readonly X509Certificate[] {
  return blocksOf(pem).flatMap((block) => parsed(block, block) ?? []);
}

function blocksOf(pem: string): readonly string[] {
  return pemCertificates(pem).slice(0, longest);
}

/** Parses a PEM block; `undefined` for a damaged block. Remembers the result for each block. */
const parsed = remembering((block): X509Certificate | undefined => {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
});

/**
 * Returns the certificates on which a pin of the bundle relies: the root of the chain or, without a chain, every
 * certificate.
 */
function rootsOf(pem: string): readonly X509Certificate[] {
  const bundle = certificates(pem);
  return chainOf(bundle)?.slice(-1) ?? bundle;
}

/**
 * Returns the chain from the first certificate of a bundle to the root that signed it, directly or through
 * intermediates; `undefined` if the bundle contains no such root. If the first certificate is itself a root, it is the
 * chain only if the bundle repeats it.
 */
function chainOf([first, ...others]: readonly X509Certificate[]): readonly X509Certificate[] | undefined {
  return first && (isRepeatedRoot(first, others) ? [first] : issuersAbove(first, others, new Set()));
}

function isRepeatedRoot(first: X509Certificate, others: readonly X509Certificate[]): boolean {
  return others.some((other) => isRoot(other) && other.raw.equals(first.raw));
}

/**
 * Returns the chain from a certificate to a root, built as Go's Verify builds chains; `undefined` if no chain reaches a
 * root. Prefers a root as the issuer, and does not accept a certificate with the same name and key as an issuer. `seen`
 * contains the intermediates that were already tried.
 */
function issuersAbove(
  first: X509Certificate,
  others: readonly X509Certificate[],
  seen: Set<X509Certificate>,
): readonly X509Certificate[] | undefined {
  const signers = others.filter(
    (other) => !seen.has(other) && !isTwin(first, other) && isSigned(first, other),
  );
  const root = signers.find(isRoot);
  if (root) {
    return [first, root];
  }
  for (const signer of signers) {
    seen.add(signer);
    const rest = issuersAbove(signer, others, seen);
    if (rest) {
      return [first, ...rest];
    }
  }
  return undefined;
}

/**
 * True if one of the roots certified this CA's key, directly or through other certificates in the bundle. False if the
 * certificate is not a CA. Tries each certificate once.
 */
function isVouchedFor(
  ca: X509Certificate,
  bundle: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  seen = new Set<X509Certificate>(),
): boolean {
  if (!ca.ca || seen.has(ca)) {
    return false;
  }
  seen.add(ca);
  if (roots.some((root) => root.raw.equals(ca.raw) || isSigned(ca, root))) {
    return true;
  }
  return bundle.some(
    (other) => (isTwin(ca, other) || isSigned(ca, other)) && isVouchedFor(other, bundle, roots, seen),
  );
}

/** True if both certificates have the same name and key, such as a new CA and its copy that the old CA cross-signed. */
function isTwin(one: X509Certificate, other: X509Certificate): boolean {
  return one.subject === other.subject && one.publicKey.equals(other.publicKey);
}

/** True if the CA `by` signed the certificate with its key; the name of the issuer alone is not enough. */
function isSigned(certificate: X509Certificate, by: X509Certificate): boolean {
  return by.ca && certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

/** The identifier of the extension authorityKeyIdentifier in DER (RFC 5280, 4.2.1.1). */
const authorityKey = Buffer.from('0603551d23', 'hex');

/** True for a root, by the rule of hashCA: its authority key identifier is missing or names its own key. */
function isRoot(certificate: X509Certificate): boolean {
  return !certificate.raw.includes(authorityKey) || certificate.checkIssued(certificate);
}
