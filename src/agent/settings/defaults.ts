import { defaultCloud } from '../clouds/index.ts';
import type { DeepReadonlyInput } from './deep-readonly.ts';
import type { WrittenSettings } from './schema.ts';
import { defaultsOf } from './section.ts';
import { sections } from './sections.ts';

/** The default settings, which are the lowest layer. */
export const defaults = {
  cloud: defaultCloud,
  ...defaultsOf(sections),
} satisfies DeepReadonlyInput<WrittenSettings>;
