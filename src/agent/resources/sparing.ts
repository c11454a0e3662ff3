import { NodeError } from '../engine/errors.ts';
import type { Finding, Resource } from '../engine/resource.ts';

/** The same Resource, whose trouble is told and holds up nobody. */
export function sparing(resource: Resource): Resource {
  return {
    ...resource,
    async check(host) {
      try {
        return tolerable(await resource.check(host));
      } catch (thrown) {
        throw thrown instanceof NodeError ? thrown.nonBlocking() : thrown;
      }
    },
  };
}

function tolerable(finding: Finding): Finding {
  if (finding.state !== 'Drifted') return finding;
  return { ...finding, drift: { ...finding.drift, blocks: false } };
}
