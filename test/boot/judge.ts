/** Observes hosts for the scenarios: through the cluster's objects, the journal, systemd and the daemon's status. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PublishedCondition as Condition } from '../../src/agent/report/status.ts';
import { type BootedHost, eventually } from './booted-host.ts';
import type { Cluster } from './cluster.ts';

/** Returns the status of the Ready condition of each Node that the server stores, by Node name. */
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

/** Resolves to the number of times that systemd has started a unit, over all boots of the host. */
export async function startsOf(host: BootedHost, unit: string): Promise<number> {
  const journal = await host.journal('-u', unit);
  return journal.filter(({ message }) => message.startsWith(`Starting ${unit} `)).length;
}

/** Resolves to one resource id for each change by the daemon, over all boots of the host. */
export async function changesOf(host: BootedHost): Promise<readonly string[]> {
  const journal = await host.journal('-u', 'slipway.service');
  return journal.flatMap(({ message }) => /^changed \{"resource":"([^"]+)"/.exec(message)?.[1] ?? []);
}

/**
 * Resolves to the condition of this type once it has this reason; rejects after `timeout` milliseconds with all
 * conditions.
 */
export async function told(
  host: BootedHost,
  type: string,
  reason: string,
  timeout = 180_000,
): Promise<Condition> {
  const has = () => host.condition(type)?.reason === reason;
  try {
    await eventually(`${host.name} to say ${type} ${reason}`, has, timeout);
  } catch (thrown) {
    throw new Error(`${Object(thrown).message} It says ${JSON.stringify(host.status()?.conditions)}`);
  }
  return host.condition(type) ?? expect.fail('The condition is gone.');
}

/** Resolves to systemd's list of failed units; empty if no unit has failed. */
export async function failedUnits(host: BootedHost): Promise<string> {
  return host.ask('systemctl', 'list-units', '--failed', '--plain', '--no-legend');
}

/** Resolves to the status line of the daemon's unit, as `systemctl status` prints it. */
export async function statusLine(host: BootedHost): Promise<string> {
  return (await host.show('slipway.service', 'StatusText')).StatusText ?? '';
}
