import { metadataAddresses } from '../clouds/metadata.ts';
import type { Path, Problem } from './path.ts';
import { plainHttpMisfits } from './plain-http.ts';
import { misfitsOf, type Sections } from './section.ts';
import { sections } from './sections.ts';

/**
 * Lists control characters, contradictions, and plain-http URLs without consent in written settings, which may have
 * other faults too.
 */
export function misfits(
  written: unknown,
  table: Sections = sections,
  metadata: readonly string[] = metadataAddresses(),
): readonly Problem[] {
  return [
    ...controlCharacters(written),
    ...misfitsOf(table, written),
    ...plainHttpMisfits(written, table, metadata),
  ];
}

/**
 * Lists values and keys with control characters. No setting needs them, and any value may end up in a unit file, an
 * argument or a terminal.
 */
function controlCharacters(written: unknown, path: Path = []): readonly Problem[] {
  if (typeof written === 'object' && written !== null) {
    return Object.entries(written).flatMap(([key, inner]) =>
      controlCharacters(inner, [...path, Array.isArray(written) ? Number(key) : key]),
    );
  }
  return [path.at(-1), written].some((text) => typeof text === 'string' && /\p{Cc}/u.test(text))
    ? [{ path, message: 'must not hold a line break, a tab or another control character; take it out' }]
    : [];
}
