import { X509Certificate } from 'node:crypto';
import { sha256 } from '../../../engine/digest.ts';
import { pemCertificates } from '../../../engine/pem.ts';
import { remembering } from '../../../engine/remembering.ts';

/** The most certificates of a bundle that are read: the bundle comes from a server that is not authenticated yet. */
const longest = 64;

export interface PinnedCa {
  /** What a token pins: lower-case hex sha256. */
  readonly hash: string;
  /** The PEM text that this hash vouches for; others may have added certificates of their own. */
  readonly trusted: string;
}

/**
 * Returns the CA of a bundle, as a token pins it (pkg/clientaccess/token.go, hashCA): the text if the bundle has one
 * certificate, or if no root in it signs the first one; else the DER of the root, which vouches for the chain from the
 * first certificate to itself.
 */
export function pinnedCa(pem: string): PinnedCa {
  if (blocksOf(pem).length < 2) {
    return { hash: sha256(pem), trusted: pem };
  }
  const chain = chainOf(certificates(pem));
  const root = chain?.at(-1);
  if (!chain || !root) {
    return { hash: sha256(pem), trusted: pem };
  }
  return { hash: sha256(root.raw), trusted: chain.join('') };
}

/**
 * Returns whether the owner of the known CA made the bundle that a server shows now: the same text, or each of its
 * certificates is a CA that was known, or whose key the known root certified, directly or through others of the bundle.
 *
 * A bundle that merely contains the known certificate proves nothing, since that certificate is public. Nor does the
 * same pin: K3s compares only the root of a chain, and then trusts every certificate beside it (hashCA). Nor does a
 * bundle with a block that was not read as a certificate: another reader of the same text may trust that block.
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

/** Returns the certificates of a PEM text, without damaged ones. */
export function certificates(pem: string): readonly X509Certificate[] {
  return blocksOf(pem).flatMap((block) => parsed(block, block) ?? []);
}

function blocksOf(pem: string): readonly string[] {
  return pemCertificates(pem).slice(0, longest);
}

/** Remembered by text alone: a certificate is public and has no path. */
const parsed = remembering((block): X509Certificate | undefined => {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
});

/** Returns the certificates that a pin of this bundle rests on. */
function rootsOf(pem: string): readonly X509Certificate[] {
  const bundle = certificates(pem);
  return chainOf(bundle)?.slice(-1) ?? bundle;
}

/**
 * Returns the chain from the first certificate of a bundle to the root that signed it; `undefined` if none of the
 * others signs it.
 */
function chainOf([first, ...others]: readonly X509Certificate[]): readonly X509Certificate[] | undefined {
  if (first === undefined) {
    return undefined;
  }
  if (others.some((other) => isRoot(other) && other.raw.equals(first.raw))) {
    return [first];
  }
  return issuersAbove(first, others, new Set());
}

/**
 * Builds chains as Go's Verify does: a root is preferred, and a certificate of the same name and key is not an issuer.
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
 * Returns whether the key of a CA leads to one of the roots, each step by a signature; each certificate is tried once.
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

/** True for the same authority, certified by another: a new CA that the old one cross-signed. */
function isTwin(one: X509Certificate, other: X509Certificate): boolean {
  return one.subject === other.subject && one.publicKey.equals(other.publicKey);
}

/** True by signature, not by name alone; only a CA may sign. */
function isSigned(certificate: X509Certificate, by: X509Certificate): boolean {
  return by.ca && certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

/** The identifier of the extension authorityKeyIdentifier (RFC 5280, 4.2.1.1), DER. */
const authorityKey = Buffer.from('0603551d23', 'hex');

/** Tells roots from intermediates as hashCA does: the authority key of a root is absent or its own. */
function isRoot(certificate: X509Certificate): boolean {
  return !certificate.raw.includes(authorityKey) || certificate.checkIssued(certificate);
}
