import { type Loaded, resolveLayers } from './load.ts';
import type { Layer } from './merge.ts';
import { nearest } from './nearest.ts';
import { invalidSettings } from './problems.ts';

/** The tags that Slipway reads. `gate` is the setting below `tags` that makes Slipway read or ignore the tag. */
const knownTags = [
  { tag: 'k3s-role', gate: 'role', path: 'role', layer: (value: string) => ({ role: value }) },
  {
    tag: 'k3s-server',
    gate: 'server',
    path: 'k3s.server',
    layer: (value: string) => ({ k3s: { server: value } }),
  },
  {
    tag: 'k3s-init',
    gate: 'init',
    path: 'k3s.init',
    // Any text except `false` is a mark, as with k3s-hold.
    layer: (value: string) => ({ k3s: { init: value.toLowerCase() !== 'false' } }),
  },
  {
    tag: 'k3s-version',
    gate: 'version',
    path: 'k3s.version',
    layer: (value: string) => ({ k3s: { version: value } }),
  },
  {
    tag: 'k3s-hold',
    gate: 'hold',
    path: 'maintenance.hold',
    layer: (value: string) => (value.toLowerCase() === 'false' ? {} : { maintenance: { hold: value } }),
  },
] as const;

/**
 * The longest tag name and the longest tag value that Azure accepts, in characters (Resource Manager, limits of tags).
 * Other clouds may send longer ones.
 */
const longest = { name: 512, value: 256 };
/** The most tags that get a warning; a VM in Azure has at most 50. */
const mostWarnings = 50;

/** The settings with the instance tags as one of their layers. */
export interface Tagged {
  readonly loaded: Loaded;
  readonly warnings: readonly string[];
}

/**
 * Merges the instance tags, by name in lower case, as a layer between the settings files and the command line.
 *
 * An empty tag, or one that the settings below `tags` turn off, sets nothing. Throws `InvalidSettings` with the tag's
 * name for an unusable value, but does not check whether a role exists. Returns a warning about each other tag named
 * `k3s-*`, at most 50. `loaded` in the result is `before`, the last settings, if nothing has changed.
 */
export function withTags(
  loaded: Loaded,
  tags: Readonly<Record<string, string>>,
  before?: Loaded | undefined,
): Tagged {
  const open = knownTags.filter(({ tag, gate }) => loaded.settings.tags[gate] && tags[tag]?.trim());
  const tooLong = open
    .filter(({ path }) => !loaded.origins[path]?.startsWith('command line'))
    .filter(({ tag }) => (tags[tag]?.trim() ?? '').length > longest.value);
  if (tooLong.length > 0) {
    throw invalidSettings(tooLong.map(({ tag }) => `tag ${tag}: ${shorten}`));
  }
  const layers = open.map(
    ({ tag, layer }): Layer => ({ origin: `tag ${tag}`, values: layer(tags[tag]?.trim() ?? '') }),
  );
  return {
    loaded: resolveLayers({ ...loaded.layers, tags: layers }, { before }),
    warnings: strangers(Object.keys(tags)),
  };
}

const shorten = `is longer than ${longest.value} characters; give it a value that an instance tag can have`;

function strangers(names: readonly string[]): readonly string[] {
  const known: readonly string[] = knownTags.map(({ tag }) => tag);
  return names
    .filter((name) => name.startsWith('k3s-') && !known.includes(name) && name.length <= longest.name)
    .slice(0, mostWarnings)
    .map((name) => {
      const meant = nearest(name, known);
      const hint = meant ? `did you mean ${meant}?` : `Slipway reads ${known.join(', ')}.`;
      return `The tag ${name} is not read; ${hint}`;
    });
}
