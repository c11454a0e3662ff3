import { constants, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { pemCertificates } from '../../engine/pem.ts';
import { notAFile, readText } from '../files/bounded-read.ts';
import { fileError } from '../files/file-errors.ts';

/**
 * The certificates that this machine trusts: those that Node contains, because a minimal system has none; those of the
 * system; and those in `network.caFile`. Reads them again when a file changes.
 */
export class TrustStore {
  readonly #caFile: string | undefined;
  readonly #bundles: readonly string[];
  #read: { readonly version: string; readonly context: SecureContext } | undefined;

  /** `bundles` are the possible paths of the system's CA bundle; the first readable one is used. */
  constructor(caFile: string | undefined, bundles: readonly string[] = systemBundles) {
    this.#caFile = caFile;
    this.#bundles = bundles;
  }

  async context(): Promise<SecureContext> {
    const version = `${this.#bundles.map(versionOf)} ${this.#caFile === undefined ? '' : versionOf(this.#caFile)}`;
    if (this.#read?.version !== version) {
      const system = await systemCertificates(this.#bundles);
      const ca = [...unique([...getCACertificates('bundled'), ...system]), ...(await this.#own())];
      this.#read = { version, context: createSecureContext({ ca }) };
    }
    return this.#read.context;
  }

  async #own(): Promise<readonly string[]> {
    return this.#caFile === undefined ? [] : [await this.#refusable(readCertificates(this.#caFile))];
  }

  async #refusable<Found>(found: Promise<Found>): Promise<Found> {
    return found.catch((thrown) => {
      throw fileError(thrown, 'read the certificates of network.caFile', `${this.#caFile}`);
    });
  }
}

/**
 * The CA bundles of Debian, Fedora and SUSE (paths from Go's crypto/x509/root_linux.go). Reading one bundle avoids
 * Node's scan of the certificate folder: 580 files for 145 certificates on Debian, 90 ms and 4 MB.
 */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];

/**
 * Reads the first readable bundle of the system or, failing that, the system's certificates that Node finds. Skips
 * unreadable bundles, since Node's own bundle covers most servers.
 */
async function systemCertificates(bundles: readonly string[]): Promise<readonly string[]> {
  for (const path of bundles) {
    const bundle = await readCertificates(path).catch(() => undefined);
    if (bundle !== undefined) {
      return [bundle];
    }
  }
  return getCACertificates('system');
}

/**
 * Reads a bundle; throws `FileSystemError` if it is not a regular file. Does not wait for the other end of a pipe,
 * because each wait would block one of the four threads that Node uses for files.
 */
async function readCertificates(path: string): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) {
    throw notAFile(path);
  }
  return readText(file.fd, path, 'latin1');
}

/** Returns the time at which a file was last modified; `undefined` if the file cannot be looked at. */
function versionOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  } catch {
    return undefined;
  }
}

/**
 * Returns each certificate once, regardless of its line breaks. Most of Node's certificates are also in the system's
 * bundle, and OpenSSL would parse them twice.
 */
function unique(texts: readonly string[]): readonly string[] {
  const found = texts.flatMap((text) => pemCertificates(text));
  return [...new Map(found.map((certificate) => [certificate.replace(/\s/g, ''), certificate])).values()];
}
