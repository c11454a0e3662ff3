import { reveal } from '../../../../../../src/agent/engine/secret.ts';
import type { MemoryHost } from '../../../../../lab/memory-host.ts';

/**
 * Lets another server of the cluster answer at an address. It has the CA of this server, and lets a server join with
 * this password.
 */
export function acceptsAt(host: MemoryHost, address: string, password: string): void {
  const wanted = `Basic ${Buffer.from(`server:${password}`).toString('base64')}`;
  host
    .onGet(`${address}/ping`, 'pong')
    .onGet(`${address}/cacerts`, host.files.text('/var/lib/rancher/k3s/server/tls/server-ca.crt') ?? '')
    .onGet(`${address}/v1-k3s/encrypt/status`, ({ headers }) =>
      reveal(headers?.authorization ?? '') === wanted ? '{}' : { status: 401 },
    );
}
