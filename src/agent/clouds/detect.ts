import { join } from 'node:path';
import type { HostReader } from '../engine/host.ts';
import { type Clouds, clouds, fallbackCloud } from './index.ts';

/** A cloud, and the sign by which it was recognized. */
export interface DetectedCloud {
  readonly name: string;
  /** The sign as readable text: `cloud-init's id azure` or `chassis_asset_tag OracleCloud.com`. */
  readonly by: string;
}

/**
 * Returns the cloud that this machine runs in, recognized by the id that cloud-init found at this boot or, failing
 * that, by the firmware's strings; `static` if neither matches a cloud in the table. If the id or a string exists but
 * cannot be read, throws the error, because the machine may still be in a cloud.
 *
 * Never asks 169.254.169.254, because that address belongs to a different service in each cloud and is unused
 * elsewhere. Anyone who runs a hypervisor can set the firmware's strings, so these strings select the service to ask
 * but prove nothing.
 *
 * Source: cloud-init, tools/ds-identify and `cloud-id`.
 */
export async function detectCloud(
  host: HostReader,
  places: { readonly cloudId: string; readonly dmi: string },
  table: Clouds = clouds,
): Promise<DetectedCloud> {
  const id = await firstLine(host, places.cloudId);
  const recognisable = Object.entries(table).flatMap(([name, { signs }]) =>
    signs === 'absent' ? [] : [{ name, ...signs }],
  );
  const named = recognisable.find(({ cloudId }) => cloudId === id);
  if (named) {
    return { name: named.name, by: `cloud-init's id ${id}` };
  }
  for (const { name, dmi } of recognisable) {
    for (const [field, text] of Object.entries(dmi)) {
      if ((await firstLine(host, join(places.dmi, field))) === text) {
        return { name, by: `${field} ${text}` };
      }
    }
  }
  return { name: fallbackCloud, by: noCloud };
}

/** The text in `by` if no cloud is detected. */
export const noCloud = 'no cloud detected';

async function firstLine(host: HostReader, path: string): Promise<string> {
  const found = await host.readFile(path);
  return found?.content.split('\n')[0]?.trim() ?? '';
}
