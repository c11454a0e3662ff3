import * as z from 'zod/mini';

/** Returns the schema of a setting that names an entry of a table. */
export function choiceOf<Table extends Readonly<Record<string, unknown>>>(table: Table) {
  const names: readonly (keyof Table & string)[] = Object.keys(table);
  return z.enum(names);
}

/**
 * Returns the entry that valid settings name. Throws if the table lacks the name, which means that the schema was made
 * from another table.
 */
export function entryOf<Entry>(table: Readonly<Record<string, Entry>>, name: string, what: string): Entry {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!entry) {
    throw new Error(`no ${what} ${name}, which the settings must not have let through`);
  }
  return entry;
}
