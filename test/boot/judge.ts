/** What scenarios judge by, from outside: the cluster's API, the journal, systemd. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BootedHost } from './booted-host.ts';
import type { Cluster } from './cluster.ts';

/** The Ready condition of every node that the cluster's API knows. */
export function nodes(cluster: Cluster): Readonly<Record<string, string>> {
  const folder = cluster.host('server').path('/var/lib/rancher/k3s/server/db/objects/nodes/_');
  const objects = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  return Object.fromEntries(
    objects.map(({ metadata, status }) => [
      metadata.name,
      status?.conditions?.find(({ type }: { type: string }) => type === 'Ready')?.status,
    ]),
  );
}

/** How often K3s was started, over all boots of a host. */
export async function k3sStarts(host: BootedHost): Promise<number> {
  const journal = await host.journal('-u', host.k3sUnit);
  return journal.filter(({ message }) => /^Starting k3s/.test(message)).length;
}
