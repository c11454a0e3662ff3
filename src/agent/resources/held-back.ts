import type { NodeError } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';
import { type Resource, waiting } from '../engine/resource.ts';
import { forPerson } from '../engine/severity.ts';

/**
 * The same Resource, whose remedy waits as long as `obstacle` returns an error. Asked only if there is a remedy. What works
 * without the remedy blocks nothing meanwhile.
 */
export function heldBack(
  resource: Resource,
  obstacle: (host: HostReader) => Promise<NodeError | undefined>,
): Resource {
  return {
    ...resource,
    async check(host) {
      const finding = await resource.check(host);
      if (finding.state !== 'Drifted') return finding;
      const error = await obstacle(host);
      const { blocks = true } = finding.drift;
      return error ? waiting(error.reason, error.message, { ...forPerson, blocks, after: 30_000 }) : finding;
    },
  };
}
