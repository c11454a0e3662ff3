import type { HostReader, HttpRequest } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';

/** Returns the URL of the supervisor of the K3s server on this machine, and the CA that it belongs to. */
export async function localServer(
  host: HostReader,
  { paths, settings }: Pick<K3sNode, 'paths' | 'settings'>,
): Promise<{ readonly url: string; readonly trust: NonNullable<HttpRequest['trust']> }> {
  const url = `https://127.0.0.1:${settings.k3s.config['https-listen-port'] ?? 6443}`;
  return { url, trust: { ca: await fileText(host, paths.k3s.serverCa) } };
}
