import { entryOf } from '../settings/choice.ts';
import type { Cloud } from './cloud.ts';
import type { CloudDriver, CloudGround, CloudHints, Metadata } from './driver.ts';
import { type CloudName, type Clouds, clouds } from './index.ts';
import { metadataOf } from './metadata.ts';

/** The setting `cloud`, which chooses a cloud, and the settings section of that cloud. */
export type Choosing = { readonly cloud: string } & Readonly<Record<string, unknown>>;

/** The driver of the cloud that the settings name, applied to that cloud's section. */
export interface ChosenCloud {
  readonly tags: CloudDriver['tags'];
  readonly metadata: readonly Metadata[];
  /** The other addresses of the metadata service, which Slipway blocks for pods but does not use itself. */
  readonly otherMetadata: readonly Metadata[];
  /** The setting that names the addresses of the metadata service, if only the operator knows them. */
  readonly metadataSetting: string | undefined;
  create(ground: Omit<CloudGround<unknown>, 'settings'>): Cloud;
}

/** Returns the driver of the cloud that the settings name, applied to that cloud's section. */
export function chosenCloud(settings: Choosing, table: Clouds = clouds): ChosenCloud {
  const driver = entryOf(table, settings.cloud, 'cloud');
  const section = Object(settings[settings.cloud]);
  return {
    tags: driver.tags,
    metadata: metadataOf(driver, section),
    otherMetadata: driver.metadata === 'absent' ? [] : (driver.metadata.others ?? []),
    metadataSetting: driver.metadata === 'absent' ? undefined : driver.metadata.named,
    create: (ground) => driver.create({ ...ground, settings: section }),
  };
}

/** Returns the wording that messages use in the cloud that the settings name. */
export function hintsOf({ cloud }: Pick<Choosing, 'cloud'>, table: Clouds = clouds): CloudHints {
  return entryOf(table, cloud, 'cloud').hints;
}

/** Returns the settings sections of all clouds. */
export function cloudSections<Settings extends Readonly<Record<CloudName, unknown>>>(
  settings: Settings,
  table: Clouds = clouds,
): Pick<Settings, CloudName> {
  const sections = Object.entries(settings).filter(([name]) => Object.hasOwn(table, name));
  return Object.fromEntries(sections) as Pick<Settings, CloudName>;
}
