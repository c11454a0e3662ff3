import { NodeError } from '../../engine/errors.ts';
import type { Download } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';

/**
 * Returns the digest in a sha256sum file, from the line of 64 hex digits, blank, blank or `*`, the wanted name.
 * `ChecksumMissing` if there is no such line.
 */
export function promisedDigest({ checksum: { url, name } }: Download, text: string): string {
  for (const line of text.split('\n')) {
    const [, digest] = /^([0-9a-f]{64}) /i.exec(line) ?? [];
    if (digest !== undefined && nameOf(line) === name) {
      return digest.toLowerCase();
    }
  }
  throw new NodeError(
    'ChecksumMissing',
    `${url} has no sha256 line for ${name}, so it cannot be verified. Check the version and the releaseUrl in the settings.`,
    forPerson,
  );
}

/**
 * Returns what follows the digest. No pattern looks for its end: one that backtracks takes minutes for a line of
 * megabytes.
 */
function nameOf(line: string): string {
  const rest = line.slice(65).trimEnd();
  return /^[ *]./.test(rest) ? rest.slice(1) : rest;
}
