/**
 * Returns the certificates of a PEM text in order, each from its BEGIN line to its END line, not parsed and maybe
 * damaged.
 *
 * `labels`: the BEGIN lines that count. Go's crypto/x509 reads `CERTIFICATE` alone, OpenSSL the other two as well
 * (PEM_read_bio_X509_AUX).
 */
export function pemCertificates(text: string, labels: readonly Label[] = ['CERTIFICATE']): readonly string[] {
  const blocks = text.match(certificate) ?? [];
  return blocks.filter((block) => labels.some((label) => block.startsWith(`-----BEGIN ${label}-----`)));
}

/** The name of a certificate in its BEGIN line. */
export type Label = 'CERTIFICATE' | 'TRUSTED CERTIFICATE' | 'X509 CERTIFICATE';

const certificate =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
