import * as z from 'zod/mini';
import type { DeepReadonly, DeepReadonlyInput } from './deep-readonly.ts';
import { mapAt, type Path, type Problem } from './path.ts';

/** Gives a setting its description for people, from which the JSON Schema and the reference page are made. */
export function about<Schema extends z.ZodMiniType>(description: string, schema: Schema): Schema {
  return schema.check(z.describe(description));
}

/** The schema of a section of the settings: a map of settings. */
export type SectionSchema = z.ZodMiniType<object, object>;

/** A parsed section, as the program uses it. */
export type Section<Schema extends SectionSchema> = DeepReadonly<z.output<Schema>>;

/** A map of settings as written, with any fault. */
export type Written = Readonly<Record<string, unknown>>;

/**
 * One section of the settings. It lives with its owner: a part, a cloud, an engine, the settings themselves. Its name
 * is its key in a table of sections; every path in it begins below that name.
 */
export interface SettingsSection<Schema extends SectionSchema = SectionSchema> {
  readonly schema: Schema;
  /** The values of settings that nothing configures. Optional settings are left out, not `undefined`. */
  readonly defaults: DeepReadonlyInput<z.input<Schema>>;
  /** Lists contradictions in the section, or between it and other settings: both as written, with any fault. */
  misfits?(written: Written, settings: Written): readonly Problem[];
  /** Lists the URLs that need consent if they are plain http. */
  plainHttp?(written: Written, settings: Written): readonly SensitiveUrl[];
}

/** A URL by which others could replace what runs as root or read a credential, if it is plain http. */
export interface SensitiveUrl {
  readonly path: Path;
  /** The value at `path` unless given here. */
  readonly address?: string;
  /** What anyone on the network path could do; completes "could". */
  readonly risk: string;
}

/** Sections by name, in the order of pages. */
export type Sections = Readonly<Record<string, SettingsSection>>;

/** Returns the sections of these owners by the owner's name; an owner without settings has none. */
export function sectionsOf<Owners extends Readonly<Record<string, { readonly settings?: SettingsSection }>>>(
  owners: Owners,
): SectionsOf<Owners> {
  const sections = Object.entries(owners).filter(([, { settings }]) => settings !== undefined);
  return Object.fromEntries(sections.map(([name, { settings }]) => [name, settings])) as SectionsOf<Owners>;
}

/** The result of `sectionsOf` for a table of owners. */
export type SectionsOf<Owners> = {
  readonly [Name in keyof Owners as Owners[Name] extends { readonly settings: SettingsSection }
    ? Name
    : never]: Owners[Name] extends { readonly settings: infer Found extends SettingsSection } ? Found : never;
};

type Each<Table extends Sections, What extends 'schema' | 'defaults'> = {
  readonly [Name in keyof Table]: Table[Name][What];
};

/** Returns the schema of each section. */
export function schemasOf<Table extends Sections>(table: Table): Each<Table, 'schema'> {
  return pick(table, 'schema') as Each<Table, 'schema'>;
}

/** Returns the defaults of each section. */
export function defaultsOf<Table extends Sections>(table: Table): Each<Table, 'defaults'> {
  return pick(table, 'defaults') as Each<Table, 'defaults'>;
}

function pick(table: Sections, what: 'schema' | 'defaults'): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(table).map(([name, section]) => [name, section[what]]));
}

/** Lists contradictions in sections that are side by side in `written`, where paths begin. */
export function misfitsOf(table: Sections, written: unknown, settings = written): readonly Problem[] {
  return Object.entries(table).flatMap(([name, section]) =>
    belowKey(name, section.misfits?.(mapAt(written, [name]), mapAt(settings, []))),
  );
}

/** Lists the URLs in such sections that need consent if they are plain http. */
export function sensitiveUrls(
  table: Sections,
  written: unknown,
  settings = written,
): readonly SensitiveUrl[] {
  return Object.entries(table).flatMap(([name, section]) =>
    belowKey(name, section.plainHttp?.(mapAt(written, [name]), mapAt(settings, []))),
  );
}

function belowKey<Found extends { readonly path: Path }>(
  name: string,
  found: readonly Found[] = [],
): readonly Found[] {
  return found.map((each) => ({ ...each, path: [name, ...each.path] }));
}
