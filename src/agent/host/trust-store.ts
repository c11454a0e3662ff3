import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { fileError } from './file-errors.ts';

/**
 * Whom this machine trusts: Node's bundle (a minimal system has none of its own), the system's certificates, and
 * the settings' file. Read anew when a file changed.
 */
export class TrustStore {
  readonly #caFile: string | undefined;
  readonly #bundles: readonly string[];
  #read: { readonly version: string; readonly context: SecureContext } | undefined;

  /** `bundles` are where the system's certificates may be, as one file; the first that is there counts. */
  constructor(caFile: string | undefined, bundles: readonly string[] = systemBundles) {
    this.#caFile = caFile;
    this.#bundles = bundles;
  }

  async context(): Promise<SecureContext> {
    const [bundle, own] = await Promise.all([firstOf(this.#bundles), this.#ownVersion()]);
    const version = `${bundle?.version} ${own}`;
    if (this.#read?.version !== version) {
      const system = bundle ? [await readFile(bundle.path, 'latin1')] : getCACertificates('system');
      const ca = [...unique([...getCACertificates('bundled'), ...system]), ...(await this.#own())];
      this.#read = { version, context: createSecureContext({ ca }) };
    }
    return this.#read.context;
  }

  async #ownVersion(): Promise<number | undefined> {
    return this.#caFile === undefined ? undefined : this.#refusable(versionOf(this.#caFile));
  }

  async #own(): Promise<readonly string[]> {
    return this.#caFile === undefined ? [] : [await this.#refusable(readFile(this.#caFile, 'utf8'))];
  }

  async #refusable<Found>(found: Promise<Found>): Promise<Found> {
    return found.catch((thrown) => {
      throw fileError(thrown, 'read the certificates of network.caFile', `${this.#caFile}`);
    });
  }
}

/**
 * Where distributions keep all they trust in one file: Debian, Fedora, SUSE (Go's crypto/x509/root_linux.go). Node
 * itself reads every file of a folder, Debian's 580 for 145 certificates: 90 ms and 4 MB.
 */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
];

async function firstOf(
  paths: readonly string[],
): Promise<{ readonly path: string; readonly version: number } | undefined> {
  for (const path of paths) {
    const version = await versionOf(path).catch(() => undefined);
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

async function versionOf(path: string): Promise<number> {
  return (await stat(path)).mtimeMs;
}

/** Each certificate once, however its lines are broken: most of Node's are the system's too, and OpenSSL parses all. */
function unique(texts: readonly string[]): readonly string[] {
  const found = texts.flatMap((text) => text.match(pem) ?? []);
  return [...new Map(found.map((certificate) => [certificate.replace(/\s/g, ''), certificate])).values()];
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
