/** The platforms on which the lab can run. */
import type { CloudName } from '../../../src/agent/clouds/index.ts';
import { azure } from './azure.ts';
import { oracle } from './oracle.ts';
import type { Platform } from './platform.ts';
import { vps } from './vps.ts';

/** The platform of each cloud. A cloud without a platform does not compile. */
export const platforms = { azure, oracle, static: vps } as const satisfies Record<CloudName, Platform>;

/** Returns the platform of this name; `undefined` if the lab does not have it. */
export function findPlatform(name: string | undefined): Platform | undefined {
  return Object.values(platforms).find((platform) => platform.name === name);
}
