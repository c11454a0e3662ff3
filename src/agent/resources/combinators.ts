/** Resources made of another: the same Resource except for what each function says. */

import { NodeError, rethrowNonBlocking } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';
import { type Drift, type Finding, type Resource, waiting } from '../engine/resource.ts';
import { forPerson } from '../engine/severity.ts';

/** Checks the Resource only if `obstacle` finds nothing; otherwise returns that finding, or throws that error. */
export function unless(
  resource: Resource,
  obstacle: (host: HostReader) => Promise<Finding | undefined>,
): Resource {
  return { ...resource, check: async (host) => (await obstacle(host)) ?? resource.check(host) };
}

/**
 * Delays the remedy while `obstacle` finds something; `obstacle` is asked only if there is a remedy. Its error is
 * reported for a person, and blocks dependants as the drift would.
 */
export function heldBack(
  resource: Resource,
  obstacle: (host: HostReader, drift: Drift) => Promise<Finding | NodeError | undefined>,
): Resource {
  return {
    ...resource,
    async check(host) {
      const finding = await resource.check(host);
      if (finding.state !== 'Drifted') {
        return finding;
      }
      const found = await obstacle(host, finding.drift);
      return (found instanceof NodeError ? heldBy(found, finding.drift) : found) ?? finding;
    },
  };
}

function heldBy({ reason, message }: NodeError, { blocks = true }: Drift): Finding {
  return waiting(reason, message, { ...forPerson, blocks, after: 30_000 });
}

/**
 * Does not block dependants on its drift and its errors, always or while `where` is true. Its waits still block.
 * `where` is asked first, and its error blocks.
 */
export function nonBlocking(
  resource: Resource,
  where: (host: HostReader) => Promise<boolean> = async () => true,
): Resource {
  return {
    ...resource,
    async check(host) {
      if (!(await where(host))) {
        return resource.check(host);
      }
      try {
        return nonBlockingDrift(await resource.check(host));
      } catch (thrown) {
        return rethrowNonBlocking(thrown);
      }
    },
  };
}

function nonBlockingDrift(finding: Finding): Finding {
  if (finding.state !== 'Drifted') {
    return finding;
  }
  return { ...finding, drift: { ...finding.drift, blocks: false } };
}

/**
 * Checks the Resource that `make` returns for what each check observes first. Its id and needs are those of `initial`.
 */
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
