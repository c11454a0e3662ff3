import type { HostReader } from '../engine/host.ts';
import type { ConditionType, Finding, Pacing, Resource } from '../engine/resource.ts';

export interface ProbeSpec {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly pacing?: Pacing;
  readonly look: (host: HostReader) => Promise<Finding>;
}

/** Something that can be observed and waited for, but is not ours to change. */
export function probe({ look, ...rest }: ProbeSpec): Resource {
  return { ...rest, check: look };
}
