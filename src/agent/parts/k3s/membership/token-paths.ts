import { join } from 'node:path';
import type { NodePaths } from '../../../paths.ts';

/** Returns the path of the file with the token with which agents join a server. */
export function agentTokenPath({ slipway }: NodePaths): string {
  return join(slipway.state, 'agent-token');
}
