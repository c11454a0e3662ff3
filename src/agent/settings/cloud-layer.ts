import { type DetectedCloud, detectCloud, noCloud } from '../clouds/detect.ts';
import { type Clouds, clouds } from '../clouds/index.ts';
import type { HostReader } from '../engine/host.ts';
import type { NodePaths } from '../paths.ts';
import { type Layer, mergeLayers, plain } from './merge.ts';
import { valueAt } from './path.ts';
import { autoCloud } from './sections/cloud.ts';

/** The layer with the cloud that Slipway chose. */
export interface CloudLayer extends Layer {
  /** A sentence for people if the choice contradicts the signs of the machine. */
  readonly warning?: string;
}

/**
 * Returns a layer with the cloud of this machine, or no layer if the given layers set `cloud` to a name other than
 * `auto`.
 *
 * If the layers lack the setting `cloud` but have the section of exactly one cloud, chooses that cloud, whatever the
 * machine's signs: a release that knows new signs must not move a running node to another cloud. Otherwise the signs
 * decide. Throws the error of a sign that exists but cannot be read.
 */
export async function cloudLayers(
  host: HostReader,
  paths: NodePaths,
  layers: readonly Layer[],
  table: Clouds = clouds,
): Promise<readonly CloudLayer[]> {
  const written = plain(mergeLayers({ origin: 'nothing', values: {} }, layers));
  const named = valueAt(written, ['cloud']);
  if (named !== undefined && named !== autoCloud) {
    return [];
  }
  const detected = await detectCloud(host, paths.system, table);
  const only = named === undefined ? onlySection(written, table) : undefined;
  return [only === undefined || only === detected.name ? bySigns(detected) : bySection(only, detected)];
}

/** Returns the cloud whose section is the only one in these settings; `undefined` for no section or several. */
function onlySection(written: unknown, table: Clouds): string | undefined {
  const [first, ...others] = Object.keys(table).filter((name) => valueAt(written, [name]) !== undefined);
  return others.length === 0 ? first : undefined;
}

function bySigns({ name, by }: DetectedCloud): CloudLayer {
  return { origin: `${autoCloud}: ${by}`, values: { cloud: name } };
}

function bySection(only: string, { name, by }: DetectedCloud): CloudLayer {
  const layer = { origin: `${autoCloud}: only ${only} has a section`, values: { cloud: only } };
  if (by === noCloud) {
    return layer;
  }
  return {
    ...layer,
    warning:
      `This machine has a sign of the cloud ${name} (${by}), but Slipway uses ${only}, because the settings do not set ` +
      `cloud and have a section only for ${only}. Set cloud: ${only} to confirm this choice, or cloud: ${name} to use ${name}.`,
  };
}
