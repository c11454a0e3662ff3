import type { DeepReadonlyInput } from './deep-readonly.ts';
import type { WrittenSettings } from './schema.ts';
import { defaultsOf } from './section.ts';
import { autoCloud } from './sections/cloud.ts';
import { sections } from './sections.ts';

/** The default settings, which are the lowest layer. */
export const defaults = {
  cloud: autoCloud,
  ...defaultsOf(sections),
} satisfies DeepReadonlyInput<WrittenSettings>;
