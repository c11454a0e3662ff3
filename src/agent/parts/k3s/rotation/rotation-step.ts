import type { Host } from '../../../engine/host.ts';
import { type Finding, waiting } from '../../../engine/resource.ts';

/** Returns the drift whose remedy is one step of a rotation of the join token; `desired` is absent if it is dropped. */
export function rotationStep(
  observed: string,
  desired: string | undefined,
  summary: string,
  remedy: (host: Host) => Promise<void>,
): Finding {
  const changes = [{ field: 'join token', observed, desired }];
  return { state: 'Drifted', drift: { changes, summary, partial: true, blocks: false, remedy } };
}

/** Returns the wait for the server with this name, which acts for the cluster; `undefined` if no server does now. */
export function otherActs(name: string | undefined): Finding {
  const who = name === undefined ? 'no server acts for the cluster yet' : `${name} acts for the cluster`;
  return waiting('TurnAwaited', `${who}; that server rotates the join token`, {
    blocks: false,
    isExpected: true,
    after: 30_000,
  });
}
