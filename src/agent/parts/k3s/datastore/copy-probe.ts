import { ok, type Probe, skipped, type Verdict } from '../../../doctor/probe.ts';
import type { HostReader } from '../../../engine/host.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { copyStatus } from './copy-status.ts';

/** Returns the probe that looks for copies of the datastore; an empty list on an agent. */
export function copyProbes(host: HostReader, node: K3sNode | undefined): readonly Probe[] {
  return node !== undefined && isServer(node)
    ? [{ about: 'node', what: 'copies of the datastore', look: () => lookForCopies(host, node) }]
    : [];
}

async function lookForCopies(host: HostReader, node: K3sNode): Promise<Verdict> {
  const copies = await copyStatus(host, node);
  const last = copies?.made.at(-1);
  if (copies === undefined) {
    return skipped(instead);
  }
  if (last === undefined) {
    const when = copies.datastore === 'etcd' ? ', if no other server has the data' : '';
    return ok(`none yet: Slipway makes one before it upgrades K3s${when}`);
  }
  const { madeAt, bytes, reason } = last;
  const megabytes = Math.ceil(bytes / 1024 ** 2);
  const time = new Date(madeAt).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
  return ok(`${copies.made.length}; the last one was made at ${time}, before: ${reason} (${megabytes} MB)`);
}

const instead =
  'Slipway upgrades K3s without a copy of an external datastore; make backups with the tools of the database, such as pg_dump';
