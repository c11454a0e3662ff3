import { X509Certificate } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { NodeError, toNodeError } from '../engine/errors.ts';
import type { FoundFile, HostReader } from '../engine/host.ts';
import { pemCertificates } from '../engine/pem.ts';
import type { Loaded } from './load.ts';
import { parseProxyLogin } from './proxy-login.ts';

/**
 * Checks the files that settings name, before anything uses them. Throws `InvalidSettings` with a line for each missing
 * or unusable file: network.caFile must contain certificates; network.proxyCredentialsFile must contain a login, and no
 * other user may be able to read it.
 */
export async function checkNamedFiles(host: HostReader, { settings, origins }: Loaded): Promise<void> {
  const { caFile, proxyCredentialsFile } = settings.network;
  const found = [
    { path: 'network.caFile', problem: await problemOf(certificates, host, caFile) },
    {
      path: 'network.proxyCredentialsFile',
      problem: await problemOf(proxyLogin, host, proxyCredentialsFile),
    },
  ];
  const lines = found.flatMap(({ path, problem }) =>
    problem === undefined ? [] : [`${origins[path]}: ${path}: ${problem}`],
  );
  // This error is retried, since a file may be written shortly after the settings.
  if (lines.length > 0) {
    throw new NodeError('InvalidSettings', lines.join('\n'));
  }
}

/** The requirements for a file that a setting names. No message quotes the content. */
interface NamedFile {
  readonly example: string;
  readonly repair: string;
  /** True if only root may read the file, so that the commands of other users cannot check it. */
  readonly isSecret: boolean;
  readonly faultOf: (path: string, found: FoundFile) => string | undefined;
}

const certificates: NamedFile = {
  example: '/etc/ssl/certs/proxy-ca.pem',
  repair: 'put the CAs there',
  isSecret: false,
  faultOf: (path, { content }) => certificateFault(path, content),
};

const proxyLogin: NamedFile = {
  example: '/etc/slipway/proxy',
  repair: 'write the line user:password into it',
  isSecret: true,
  faultOf: loginFault,
};

async function problemOf(
  { example, repair, isSecret, faultOf }: NamedFile,
  host: HostReader,
  path: string | undefined,
): Promise<string | undefined> {
  if (path === undefined) {
    return undefined;
  }
  if (!isAbsolute(path)) {
    return `must be an absolute path such as ${example}`;
  }
  try {
    const found = await host.readFile(path);
    return found
      ? faultOf(path, found)
      : `names ${path}, which does not exist; ${repair}, or correct the path`;
  } catch (thrown) {
    const { reason, message } = toNodeError(thrown);
    return isSecret && reason === 'PermissionDenied' ? undefined : message;
  }
}

function loginFault(path: string, { content, mode, foreignUser }: FoundFile): string | undefined {
  const known = 'and consider the password known';
  if (foreignUser !== undefined) {
    return `names ${path}, which belongs to another user (uid ${foreignUser}); run chown root:root ${path}, ${known}`;
  }
  if ((mode & 0o077) !== 0) {
    return `names ${path}, which other users may open; run chmod 600 ${path}, ${known}`;
  }
  if (parseProxyLogin(content) !== undefined) {
    return undefined;
  }
  return `names ${path}, which must hold one line user:password and nothing else; write it anew`;
}

function certificateFault(path: string, content: string): string | undefined {
  const certificates = pemCertificates(content, ['CERTIFICATE', 'TRUSTED CERTIFICATE', 'X509 CERTIFICATE']);
  const damaged = certificates.findIndex((certificate) => !isCertificate(certificate));
  if (damaged >= 0) {
    return `names ${path}, whose certificate ${damaged + 1} is damaged; put its PEM text there again`;
  }
  if (certificates.length > 0) {
    return undefined;
  }
  return `names ${path}, which holds no certificate; put the CAs there as PEM (-----BEGIN CERTIFICATE-----)`;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
