/** Resources made of another: each is the same Resource but for what is said here. */

import { NodeError, rethrowNonBlocking } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';
import { type Drift, type Finding, type Resource, waiting } from '../engine/resource.ts';
import { forPerson } from '../engine/severity.ts';

/** Checks the Resource only if `obstacle` finds nothing; what that finds, or throws, stands in its place. */
export function unless(
  resource: Resource,
  obstacle: (host: HostReader) => Promise<Finding | undefined>,
): Resource {
  return { ...resource, check: async (host) => (await obstacle(host)) ?? resource.check(host) };
}

/**
 * Lets the remedy wait as long as `obstacle`, which is asked only where there is a remedy, finds something. An error is
 * reported for a person; it blocks dependants as the drift would.
 */
export function heldBack(
  resource: Resource,
  obstacle: (host: HostReader, drift: Drift) => Promise<Finding | NodeError | undefined>,
): Resource {
  return {
    ...resource,
    async check(host) {
      const finding = await resource.check(host);
      if (finding.state !== 'Drifted') return finding;
      const found = await obstacle(host, finding.drift);
      return (found instanceof NodeError ? heldBy(found, finding.drift) : found) ?? finding;
    },
  };
}

function heldBy({ reason, message }: NodeError, { blocks = true }: Drift): Finding {
  return waiting(reason, message, { ...forPerson, blocks, after: 30_000 });
}

/**
 * Lets dependants go on in spite of its drift and its errors, always or while `where` is true. What it waits for still
 * blocks. `where` is asked first, and what it throws blocks.
 */
export function nonBlocking(
  resource: Resource,
  where: (host: HostReader) => Promise<boolean> = async () => true,
): Resource {
  return {
    ...resource,
    async check(host) {
      if (!(await where(host))) return resource.check(host);
      try {
        return nonBlockingDrift(await resource.check(host));
      } catch (thrown) {
        return rethrowNonBlocking(thrown);
      }
    },
  };
}

function nonBlockingDrift(finding: Finding): Finding {
  if (finding.state !== 'Drifted') return finding;
  return { ...finding, drift: { ...finding.drift, blocks: false } };
}

/** Checks the Resource that is made of what each check observes first. Its id and needs are those of `initial`. */
export function observing<Observed>(
  make: (observed: Observed) => Resource,
  initial: Observed,
  observe: (host: HostReader) => Promise<Observed>,
): Resource {
  return { ...make(initial), check: async (host) => make(await observe(host)).check(host) };
}

/** Throws what `retell` makes of its errors. */
export function retelling(
  resource: Resource,
  retell: (host: HostReader, error: NodeError) => Promise<NodeError>,
): Resource {
  return {
    ...resource,
    async check(host) {
      try {
        return await resource.check(host);
      } catch (thrown) {
        throw thrown instanceof NodeError ? await retell(host, thrown) : thrown;
      }
    },
  };
}
