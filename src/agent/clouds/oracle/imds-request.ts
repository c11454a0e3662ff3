import type { HostReader } from '../../engine/host.ts';
import { askMetadata } from '../metadata-request.ts';

/** The header that version 2 of the service requires, so that a browser or a proxy cannot be tricked into a request. */
const headers = { authorization: 'Bearer Oracle' };

/**
 * Requests a path below /opc/v2/, and returns the body of the answer. Throws the errors of `askMetadata`.
 *
 * Does not try version 1, which needs no header and can be switched off.
 */
export async function readMetadata(host: HostReader, endpoint: string, path: string): Promise<string> {
  const url = `${endpoint.replace(/\/+$/, '')}/opc/v2/${path}`;
  const response = await askMetadata(host, {
    url,
    headers,
    cloud: 'Oracle Cloud',
    setting: 'oracle.imdsEndpoint',
  });
  return response.body;
}
