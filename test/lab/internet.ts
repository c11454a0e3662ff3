/** The internet of machines outside any cloud: a proxy on loopback that leads only to the servers of the lab. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoggedRequest } from './azure/loopback.ts';
import { startProxy } from './azure/proxy.ts';
import { createAuthority } from './azure/tls.ts';
import type { LabCloud } from './lab-clouds.ts';

/** Starts the proxy, with a certificate authority for its servers. The proxy refuses a name until `route` adds it. */
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
