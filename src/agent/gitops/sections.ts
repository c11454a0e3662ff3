/** What the table of GitOps engines adds to the settings. */
import { mapAt, type Path, valueAt } from '../settings/path.ts';
import type { Problem } from '../settings/problem.ts';
import type { EngineSection } from './engine.ts';
import { type GitOpsEngines, gitOpsEngines } from './index.ts';

/** The names of the engines. */
export function engineNames<Table extends GitOpsEngines>(table: Table): readonly (keyof Table & string)[] {
  return Object.keys(table);
}

/** A part of each section, by the name of its engine. */
type OfSections<Table extends GitOpsEngines, What extends 'schema' | 'defaults'> = {
  readonly [Name in keyof Table as Table[Name] extends { readonly section: EngineSection }
    ? Name
    : never]: Table[Name] extends { readonly section: EngineSection } ? Table[Name]['section'][What] : never;
};

/** The schema of each engine's section. */
export function engineSchemas<Table extends GitOpsEngines>(table: Table): OfSections<Table, 'schema'> {
  return pick(table, 'schema') as OfSections<Table, 'schema'>;
}

/** What holds in each engine's section where nothing else is configured. */
export function engineDefaults<Table extends GitOpsEngines>(table: Table): OfSections<Table, 'defaults'> {
  return pick(table, 'defaults') as OfSections<Table, 'defaults'>;
}

function pick(table: GitOpsEngines, what: 'schema' | 'defaults'): Readonly<Record<string, unknown>> {
  return Object.fromEntries(sectionsOf(table).map(([name, section]) => [name, section[what]]));
}

/** What the chosen engine finds wrong in its section as written. */
export function engineMisfits(written: unknown, table: GitOpsEngines = gitOpsEngines): readonly Problem[] {
  const chosen = valueAt(written, ['gitops', 'engine']);
  return sectionsOf(table)
    .filter(([name]) => name === chosen)
    .flatMap(([name, section]) =>
      section.misfits(mapAt(written, ['gitops', name])).map(({ path, message }) => ({
        path: ['gitops', name, ...path],
        message,
      })),
    );
}

/** The URLs that must not be plain http, whichever engine is chosen, and what others could do there. */
export function enginePlainHttp(
  table: GitOpsEngines = gitOpsEngines,
): readonly { readonly path: Path; readonly risk: string }[] {
  return sectionsOf(table).flatMap(([name, { plainHttp }]) =>
    plainHttp.map(({ setting, risk }) => ({ path: ['gitops', name, setting], risk })),
  );
}

/** What engines install beside K3s. */
export function enginePrograms(table: GitOpsEngines = gitOpsEngines): readonly string[] {
  return Object.values(table).flatMap(({ programs }) => programs);
}

function sectionsOf(table: GitOpsEngines): readonly (readonly [string, EngineSection])[] {
  return Object.entries(table).flatMap(([name, { section }]) => (section ? [[name, section] as const] : []));
}
