import * as z from 'zod/mini';
import { choiceOf } from '../settings/choice.ts';
import {
  about,
  defaultsOf,
  misfitsOf,
  type Sections,
  type SettingsSection,
  schemasOf,
  sectionsOf,
  sensitiveUrls,
} from '../settings/section.ts';
import type { GitOpsEngines } from './index.ts';

/**
 * Returns the settings section `gitops`, which names one engine of `table` and contains the section of each engine that
 * has settings.
 */
export function gitOpsSection<Table extends GitOpsEngines>(table: Table) {
  const engines = sectionsOf(table);
  return {
    schema: about(
      'The GitOps engine to which a server hands over its cluster.',
      z.strictObject({ engine: about('The GitOps engine.', choiceOf(table)), ...schemasOf(engines) }),
    ),
    defaults: { engine: 'none', ...defaultsOf(engines) },
    misfits: ({ engine, ...written }, settings) =>
      misfitsOf(only(String(engine), engines), written, settings),
    plainHttp: (written, settings) => sensitiveUrls(engines, written, settings),
  } as const satisfies SettingsSection;
}

/** Returns only the section of the engine in use, because the sections of other engines may be incomplete. */
function only(name: string, engines: Sections): Sections {
  return Object.fromEntries(Object.entries(engines).filter(([each]) => each === name));
}
