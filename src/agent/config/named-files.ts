import { X509Certificate } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { NodeError, toNodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import type { Loaded } from './load.ts';

/**
 * Looks at the files that settings name: `InvalidSettings` where network.caFile is not there or holds no certificates.
 * Else whoever is reached through a proxy that re-signs would seem untrusted, and nobody would know why.
 */
export async function checkNamedFiles(host: HostReader, { settings, origins }: Loaded): Promise<void> {
  const { caFile } = settings.network;
  const problem = caFile === undefined ? undefined : await certificatesProblem(host, caFile);
  if (problem === undefined) return;
  // It may come a moment later than the settings do.
  throw new NodeError('InvalidSettings', `${origins['network.caFile']}: network.caFile: ${problem}`);
}

async function certificatesProblem(host: HostReader, path: string): Promise<string | undefined> {
  if (!isAbsolute(path)) return 'must be an absolute path such as /etc/ssl/certs/proxy-ca.pem';
  try {
    const found = await host.readFile(path);
    return found
      ? faultOf(path, found.content)
      : `names ${path}, which does not exist; put the CAs there, or correct the path`;
  } catch (thrown) {
    return toNodeError(thrown).message;
  }
}

const pem =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

function faultOf(path: string, content: string): string | undefined {
  const certificates = content.match(pem) ?? [];
  const damaged = certificates.findIndex((certificate) => !isCertificate(certificate));
  if (damaged >= 0)
    return `names ${path}, whose certificate ${damaged + 1} is damaged; put its PEM text there again`;
  if (certificates.length > 0) return undefined;
  return `names ${path}, which holds no certificate; put the CAs there as PEM (-----BEGIN CERTIFICATE-----)`;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}
