import * as z from 'zod/mini';
import { type SectionsOf, sectionsOf } from '../settings/section.ts';
import type { CloudDriver, Metadata } from './driver.ts';
import { type Clouds, clouds } from './index.ts';

/** Returns the settings sections of the clouds whose metadata service has a default address. */
export function metadataSections<Table extends Clouds>(table: Table): Partial<SectionsOf<Table>> {
  const asking = Object.entries(table).filter(([, driver]) => defaultMetadata(driver).length > 0);
  return sectionsOf(Object.fromEntries(asking)) as Partial<SectionsOf<Table>>;
}

/** Returns the default addresses of all metadata services. Requests to these addresses never go through a proxy. */
export function metadataAddresses(table: Clouds = clouds): readonly string[] {
  const services = Object.values(table).flatMap(defaultMetadata);
  return [...new Set(services.map(({ address }) => address))];
}

/**
 * Returns the addresses of a cloud's metadata service with this settings section; an empty list if the cloud has no
 * such service.
 */
export function metadataOf(
  { metadata }: Pick<CloudDriver, 'metadata'>,
  section: object,
): readonly Metadata[] {
  return metadata === 'absent' ? [] : [metadata.locate(section)].flat();
}

function defaultMetadata(driver: CloudDriver) {
  return metadataOf(driver, z.parse(driver.settings.schema, driver.settings.defaults));
}
