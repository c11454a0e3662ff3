/**
 * Returns the certificates of a PEM text in order, each from its BEGIN line to its END line. The certificates are not
 * parsed, so they may be damaged.
 *
 * `labels` are the accepted labels. Go's crypto/x509 reads only `CERTIFICATE`; OpenSSL also reads `TRUSTED CERTIFICATE`
 * and `X509 CERTIFICATE` (PEM_read_bio_X509_AUX).
 */
export function pemCertificates(text: string, labels: readonly Label[] = ['CERTIFICATE']): readonly string[] {
  const blocks = text.match(certificate) ?? [];
  return blocks.filter((block) => labels.some((label) => block.startsWith(`-----BEGIN ${label}-----`)));
}

/** The label of a certificate in its BEGIN line. */
export type Label = 'CERTIFICATE' | 'TRUSTED CERTIFICATE' | 'X509 CERTIFICATE';

const certificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
