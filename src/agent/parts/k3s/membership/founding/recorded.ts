import { type Finding, inSync } from '../../../../engine/resource.ts';
import type { K3sNode } from '../../../../node.ts';
import { type FoundingRecord, writeFounding } from './record.ts';

/** Returns the drift that records a decision; in sync if the record has it already. */
export function recorded(node: K3sNode, record: FoundingRecord | undefined, wanted: FoundingRecord): Finding {
  if (record?.state === wanted.state && record.server === wanted.server) {
    return inSync(wanted.server === undefined ? {} : { message: `joins ${wanted.server}` });
  }
  const desired = wanted.server === undefined ? 'found the cluster' : `join ${wanted.server}`;
  return {
    state: 'Drifted',
    drift: {
      summary: desired,
      changes: [{ field: 'membership', observed: record && toldOf(record), desired }],
      remedy: (host) => writeFounding(host, node.paths, wanted),
    },
  };
}

function toldOf({ state, server }: FoundingRecord): string {
  return server === undefined ? state : `join ${server}`;
}
