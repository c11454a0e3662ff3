/** The internet for machines outside any cloud: a proxy on loopback that reaches only the servers of the lab. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoggedRequest } from './azure/loopback.ts';
import { startProxy } from './azure/proxy.ts';
import { createAuthority } from './azure/tls.ts';
import type { LabCloud } from './lab-clouds.ts';

/**
 * Starts the proxy, and creates a certificate authority for the servers behind it. The proxy refuses connections to a
 * host name until `route` adds the name.
 */
export async function startInternet(): Promise<LabCloud> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-internet-'));
  const requests: LoggedRequest[] = [];
  const authority = createAuthority();
  const proxy = await startProxy({ log: requests, suffixes: [] });
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.certificate);
  return {
    proxyUrl: proxy.url,
    caFile,
    requests,
    issue: authority.issue,
    route: proxy.route,
    stop: async () => {
      await proxy.stop();
      await rm(folder, { recursive: true });
    },
  };
}
