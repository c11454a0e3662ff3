import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { Settings } from '../../../settings/schema.ts';
import { servingUrl } from './serving-certificate.ts';

/**
 * Returns why a client would refuse the certificate of the K3s server on this machine at the host of `server`, an https
 * URL, with the repair; `undefined` if the certificate is valid for this host. If K3s does not answer, returns that the
 * certificate was not checked.
 */
export async function servedNameFault(
  host: HostReader,
  settings: Settings,
  server: string,
): Promise<string | undefined> {
  const name = new URL(server).hostname.replace(/^\[|\]$/g, '');
  try {
    const certificate = new X509Certificate(await host.peerCertificate(servingUrl({ settings })));
    return isServed(certificate, name) ? undefined : notServed(name);
  } catch (thrown) {
    const why = thrown instanceof NodeError ? thrown.message : 'The certificate cannot be read.';
    return `Whether the certificate of K3s is valid for ${name} was not checked. ${why}`;
  }
}

function isServed(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

function notServed(name: string): string {
  return (
    `The certificate of K3s does not name ${name}, so kubectl will refuse it. Add ${name} to the list tls-san in ` +
    'k3s.config of each server, and let K3s restart. The kubeconfig then works as it is.'
  );
}
