import type { Host } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';

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
