/** Functions that make a Resource from another Resource, and change only what their comments state. */

import { NodeError, rethrowNonBlocking } from '../engine/errors.ts';
import type { Host, HostReader } from '../engine/host.ts';
import { type Drift, type Finding, type Resource, waiting } from '../engine/resource.ts';
import { forPerson } from '../engine/severity.ts';

/**
 * Checks the Resource only if `obstacle` finds nothing; otherwise returns the finding or throws the error of
 * `obstacle`.
 */
export function unless(
  resource: Resource,
  obstacle: (host: HostReader) => Promise<Finding | undefined>,
): Resource {
  return { ...resource, check: async (host) => (await obstacle(host)) ?? resource.check(host) };
}

/**
 * Returns the finding of `obstacle` instead of a drift, so that the remedy waits. `obstacle` runs only if the Resource
 * has drifted. An error that `obstacle` returns becomes a wait for a person, which blocks dependants if the drift does.
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

/** Makes the remedy of the Resource call `act` first. */
export function preceded(resource: Resource, act: (host: Host) => Promise<void>): Resource {
  return {
    ...resource,
    async check(host) {
      const finding = await resource.check(host);
      if (finding.state !== 'Drifted') {
        return finding;
      }
      const { drift } = finding;
      const remedy = async (changing: Host) => {
        await act(changing);
        await drift.remedy(changing);
      };
      return { ...finding, drift: { ...drift, remedy } };
    },
  };
}

function heldBy({ reason, message }: NodeError, { blocks = true }: Drift): Finding {
  return waiting(reason, message, { ...forPerson, blocks, after: 30_000 });
}

/**
 * Makes the drift and the errors of the Resource non-blocking, always or while `where` is true. A wait still blocks.
 * `where` runs before the check, and its error blocks.
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

/** Makes the drift, the errors and the waits of the Resource non-blocking. */
export function neverBlocking(resource: Resource): Resource {
  const withoutWaits = nonBlocking(resource);
  return {
    ...withoutWaits,
    async check(host) {
      const finding = await withoutWaits.check(host);
      return finding.state === 'Waiting' ? { ...finding, blocks: false } : finding;
    },
  };
}

/** Marks the Resource as one that only maintains a node that is set up. */
export function upkeep(resource: Resource): Resource {
  return { ...resource, isUpkeep: true };
}

/** Leaves the message of an in-sync finding out, so that the condition reports that of another Resource. */
export function withoutMessage(resource: Resource): Resource {
  return {
    ...resource,
    async check(host) {
      const finding = await resource.check(host);
      if (finding.state !== 'InSync') {
        return finding;
      }
      const { message: _, ...rest } = finding;
      return rest;
    },
  };
}

/**
 * Returns a Resource that observes the machine at each check, and then checks the Resource that `make` returns for this
 * observation. Everything but the check, such as the id and the needs, comes from the Resource for `initial`.
 */
export function observing<Observed>(
  make: (observed: Observed) => Resource,
  initial: Observed,
  observe: (host: HostReader) => Promise<Observed>,
): Resource {
  return { ...make(initial), check: async (host) => make(await observe(host)).check(host) };
}

/** Replaces each NodeError that the check throws with the error that `retell` returns. */
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
