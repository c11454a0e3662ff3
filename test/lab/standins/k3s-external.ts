import { fatal } from './k3s-log.ts';
import type { SharedDatastore, StartingServer } from './k3s-shared.ts';

/** Stub. */
export function prepareExternal(_server: StartingServer, _endpoint: string): Promise<SharedDatastore> {
  return fatal('Error: not modelled');
}
