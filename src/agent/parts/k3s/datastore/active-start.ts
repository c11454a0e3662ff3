import type { HostReader } from '../../../engine/host.ts';
import { unitName } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';

/** Returns the id of the start of a K3s server that is up; `undefined` if K3s is down, or is starting or stopping. */
export async function activeStart(host: HostReader): Promise<string | undefined> {
  const shown = await showUnit(host, unitName('server'), ['ActiveState', 'InvocationID', 'Job']);
  const isSettled = shown.ActiveState === 'active' && !/^[1-9]/.test(shown.Job);
  return isSettled ? shown.InvocationID : undefined;
}
