import * as z from 'zod/mini';
import { type SectionsOf, sectionsOf } from '../settings/section.ts';
import { type Clouds, clouds } from './index.ts';

/** Returns the sections of the clouds that have a metadata service. */
export function metadataSections<Table extends Clouds>(table: Table): Partial<SectionsOf<Table>> {
  const asking = Object.entries(table).filter(([, driver]) => defaultMetadata(driver) !== undefined);
  return sectionsOf(Object.fromEntries(asking)) as Partial<SectionsOf<Table>>;
}

/** Returns the addresses at which metadata services answer unless settings say otherwise: no proxy passes them on. */
export function metadataAddresses(table: Clouds = clouds): readonly string[] {
  return [...new Set(Object.values(table).flatMap((driver) => defaultMetadata(driver)?.address ?? []))];
}

function defaultMetadata({ settings, metadata }: Clouds[string]) {
  return metadata(z.parse(settings.schema, settings.defaults));
}
