/** What the table of clouds adds to the settings. */
import * as z from 'zod/mini';
import { mapAt } from '../settings/path.ts';
import type { Problem } from '../settings/problem.ts';
import { type CloudName, type Clouds, clouds } from './index.ts';

/** The names of the clouds. */
export function cloudNames<Table extends Clouds>(table: Table): readonly (keyof Table & string)[] {
  return Object.keys(table);
}

type Of<Table extends Clouds, What extends 'settings' | 'defaults'> = {
  readonly [Name in keyof Table]: Table[Name][What];
};

/** The schema of each cloud's section. */
export function cloudSchemas<Table extends Clouds>(table: Table): Of<Table, 'settings'> {
  return pick(table, 'settings') as Of<Table, 'settings'>;
}

/** The same of the clouds that have a metadata service. */
export function metadataSchemas<Table extends Clouds>(table: Table): Partial<Of<Table, 'settings'>> {
  const asking = Object.entries(table).filter(([, driver]) => defaultMetadata(driver) !== undefined);
  return pick(Object.fromEntries(asking), 'settings') as Partial<Of<Table, 'settings'>>;
}

/** What holds in each cloud's section where nothing else is configured. */
export function cloudDefaults<Table extends Clouds>(table: Table): Of<Table, 'defaults'> {
  return pick(table, 'defaults') as Of<Table, 'defaults'>;
}

function pick(table: Clouds, what: 'settings' | 'defaults'): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(table).map(([name, driver]) => [name, driver[what]]));
}

/** The sections of the clouds in some settings. */
export function cloudSections<Settings extends Readonly<Record<CloudName, unknown>>>(
  settings: Settings,
  table: Clouds = clouds,
): Pick<Settings, CloudName> {
  const sections = Object.entries(settings).filter(([name]) => Object.hasOwn(table, name));
  return Object.fromEntries(sections) as Pick<Settings, CloudName>;
}

/** What the clouds find wrong in their sections, as they are written. */
export function cloudMisfits(written: unknown, table: Clouds = clouds): readonly Problem[] {
  return Object.entries(table).flatMap(([name, driver]) =>
    (driver.misfits?.(mapAt(written, [name])) ?? []).map(({ path, message }) => ({
      path: [name, ...path],
      message,
    })),
  );
}

/** The addresses at which metadata services answer unless settings say otherwise: no proxy passes them on. */
export function metadataAddresses(table: Clouds = clouds): readonly string[] {
  return [...new Set(Object.values(table).flatMap((driver) => defaultMetadata(driver)?.address ?? []))];
}

function defaultMetadata({ settings, defaults, metadata }: Clouds[string]) {
  return metadata(z.parse(settings, defaults));
}
