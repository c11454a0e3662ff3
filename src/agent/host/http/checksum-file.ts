import { NodeError } from '../../engine/errors.ts';
import type { Download } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';

/**
 * Returns the digest of the wanted file from the output of sha256sum. Each line has 64 hex digits, a space, a mode
 * character (a space or `*`), and the file name. Throws `ChecksumMissing` if no line has the wanted name.
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
 * Returns the file name after the digest. Avoids a pattern that backtracks, because it would take minutes for a line of
 * several megabytes.
 */
function nameOf(line: string): string {
  const rest = line.slice(65).trimEnd();
  return /^[ *]./.test(rest) ? rest.slice(1) : rest;
}
