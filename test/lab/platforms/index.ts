/** The platforms that the lab can bring up. */
import type { CloudName } from '../../../src/agent/clouds/index.ts';
import { azure } from './azure.ts';
import { oracle } from './oracle.ts';
import type { Platform } from './platform.ts';
import { vps } from './vps.ts';

/** The platform for each cloud. A cloud without a platform is a compile error. */
export const platforms = { azure, oracle, static: vps } as const satisfies Record<CloudName, Platform>;

/** Returns the platform with this name; `undefined` if the name is unknown. */
export function findPlatform(name: string | undefined): Platform | undefined {
  return Object.values(platforms).find((platform) => platform.name === name);
}
