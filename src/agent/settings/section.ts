import * as z from 'zod/mini';
import type { DeepReadonly, DeepReadonlyInput } from './deep-readonly.ts';
import { given, mapAt, type Path, type Problem } from './path.ts';

/** Adds a description to a setting, for the JSON Schema and the reference page. */
export function about<Schema extends z.ZodMiniType>(description: string, schema: Schema): Schema {
  return schema.check(z.describe(description));
}

/** The schema of a section of the settings, which is a map. */
export type SectionSchema = z.ZodMiniType<object, object>;

/** A section of the settings after parsing. */
export type Section<Schema extends SectionSchema> = DeepReadonly<z.output<Schema>>;

/** A map of settings as written, which may have any fault. */
export type Written = Readonly<Record<string, unknown>>;

/**
 * One section of the settings, defined by its owner: a part, a cloud, an engine, the metrics or the settings
 * themselves. Its name is its key in a table of sections, and its paths start below that name.
 */
export interface SettingsSection<Schema extends SectionSchema = SectionSchema> {
  readonly schema: Schema;
  /** The default values. Optional settings are omitted, not `undefined`. */
  readonly defaults: DeepReadonlyInput<z.input<Schema>>;
  /**
   * The settings whose default does not apply while another setting of the section is given: the key of the former, and
   * that of the latter.
   */
  readonly replaced?: Readonly<Record<string, string>>;
  /**
   * Lists contradictions in the section, or between the section and other settings. Both are as written and may have
   * any fault.
   */
  misfits?(written: Written, settings: Written): readonly Problem[];
  /** Lists the URLs that need consent if they are plain http. */
  plainHttp?(written: Written, settings: Written): readonly SensitiveUrl[];
}

/** A URL that, as plain http, would let an attacker replace what runs as root or read a credential. */
export interface SensitiveUrl {
  readonly path: Path;
  /** The URL, if it is not the value at `path`. */
  readonly address?: string;
  /** What an attacker on the network could do; completes "could". */
  readonly risk: string;
}

/** The sections by name, in the order of the reference page. */
export type Sections = Readonly<Record<string, SettingsSection>>;

/** Returns the section of each owner, by the owner's name; leaves out owners without settings. */
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

/** Returns the schema of each section, by the section's name. */
export function schemasOf<Table extends Sections>(table: Table): Each<Table, 'schema'> {
  return pick(table, 'schema') as Each<Table, 'schema'>;
}

/** Returns the defaults of each section, by the section's name. */
export function defaultsOf<Table extends Sections>(table: Table): Each<Table, 'defaults'> {
  return pick(table, 'defaults') as Each<Table, 'defaults'>;
}

function pick(table: Sections, what: 'schema' | 'defaults'): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(table).map(([name, section]) => [name, section[what]]));
}

/**
 * Lists contradictions in the sections of `written`, and between these sections and `settings`. Paths start at
 * `written`.
 */
export function misfitsOf(table: Sections, written: unknown, settings = written): readonly Problem[] {
  return Object.entries(table).flatMap(([name, section]) =>
    belowKey(name, section.misfits?.(mapAt(written, [name]), mapAt(settings, []))),
  );
}

/** Returns default settings without those that settings in `written` replace. */
export function withoutReplaced(table: Sections, defaults: object, written: unknown): object {
  const kept = Object.entries(defaults).map(([name, values]) => {
    const { replaced = {} } = table[name] ?? {};
    const isReplaced = (key: string) => given(mapAt(written, [name])[replaced[key] ?? '']);
    const fields = Object.entries(mapAt(values, [])).filter(([key]) => !isReplaced(key));
    return [name, name in table ? Object.fromEntries(fields) : values];
  });
  return Object.fromEntries(kept);
}

/** Lists the URLs in the sections of `written` that need consent if they are plain http. Paths start at `written`. */
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
