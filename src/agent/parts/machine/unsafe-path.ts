import { dirname, isAbsolute, join, relative } from 'node:path';
import type { FileStat, HostReader } from '../../engine/host.ts';
import { mostLinks, partsOf } from '../../engine/path-parts.ts';
import { allPlaces, type NodePaths } from '../../paths.ts';
import { octal } from '../../resources/file-attributes.ts';
import { fileText } from '../../resources/file-text.ts';

/**
 * A file, directory or link on the path to what root runs or trusts that a user other than root can change. No parent
 * of `path` is a link.
 */
export interface UnsafePath {
  readonly path: string;
  readonly place: string;
  /** The fault, as the predicate of a sentence about the path. */
  readonly fault: string;
  /** The command that corrects the fault, without the path. */
  readonly repair: readonly [string, ...string[]];
}

type Look = (path: string) => Promise<FileStat | undefined>;
type Fault = Pick<UnsafePath, 'fault' | 'repair'>;

const [byOthers, byGroup, sticky] = [0o002, 0o020, 0o1000];

/**
 * Returns the first directory, link, settings file or link target on the paths to these places that a user other than
 * root and the user of this process can change; `undefined` if every path is safe. The default places are those that
 * Slipway writes or root trusts. Links are resolved within the root. Does not check files that Slipway writes, which
 * have separate checks; a missing file is safe.
 */
export async function unsafePath(
  host: HostReader,
  paths: NodePaths,
  places?: readonly string[],
): Promise<UnsafePath | undefined> {
  const look = statsOnce((path) => host.stat(path));
  const settings = await settingsFiles(host, paths);
  const staff = await staffGroup(host, paths.root);
  for (const place of places ?? [...allPlaces(paths), ...settings]) {
    const way = { look, root: paths.root, staff, judgesFiles: settings.includes(place) };
    const found = await walkPath(way, place);
    if (found) {
      return { ...found, place };
    }
  }
  return undefined;
}

interface Way {
  readonly look: Look;
  readonly root: string;
  readonly staff: number | undefined;
  readonly judgesFiles: boolean;
}

async function walkPath(way: Way, place: string): Promise<Omit<UnsafePath, 'place'> | undefined> {
  const { look, root, judgesFiles } = way;
  let at = root;
  let rest = partsOf(relative(root, place));
  let stat = await look(at);
  for (let links = 0; links <= mostLinks; ) {
    if (stat === undefined) {
      return undefined;
    }
    // The operator chose this directory with --root, so it may be a link or belong to another user.
    const isChosen = at === root && root !== '/';
    const target = isChosen ? undefined : stat.target;
    const [name, ...others] = rest;
    const isFolder = stat.kind === 'directory';
    const next = name === undefined ? undefined : nextStep(root, at, name);
    const nextStat = isFolder && next !== undefined ? await look(next) : undefined;
    const isPassed = nextStat !== undefined;
    const isJudged = !isChosen && (isFolder || target !== undefined || judgesFiles || links > 0);
    const fault = isJudged ? faultOf(stat, { ...way, isPassed }) : undefined;
    if (fault) {
      return { path: at, ...fault };
    }
    if (target !== undefined) {
      links += 1;
      rest = [...partsOf(target), ...rest];
      at = isAbsolute(target) ? root : dirname(at);
      stat = await look(at);
    } else {
      if (next === undefined) {
        return undefined;
      }
      rest = others;
      at = next;
      stat = isFolder ? nextStat : await look(next);
    }
  }
  return undefined;
}

/**
 * Returns the fault that allows a user other than root to change a file or directory; `undefined` if it has none.
 * `isPassed` is true for a directory that contains the next entry of the path: its sticky bit protects an existing
 * entry, but any user could create a missing one.
 */
function faultOf(
  { kind, mode, foreignUser, foreignGroup }: FileStat,
  { staff, isPassed }: { readonly staff: number | undefined; readonly isPassed: boolean },
): Fault | undefined {
  if (foreignUser !== undefined) {
    return { fault: `belongs to another user (uid ${foreignUser})`, repair: ['chown', '-h', 'root:root'] };
  }
  if (kind === 'link' || (isPassed && mode & sticky)) {
    return undefined;
  }
  if (mode & byOthers) {
    return { fault: `can be changed by every user (mode ${octal(mode)})`, repair: ['chmod', 'o-w'] };
  }
  if (mode & byGroup && foreignGroup !== undefined && foreignGroup !== staff) {
    return {
      fault: `can be changed by the group ${foreignGroup} (mode ${octal(mode)})`,
      repair: ['chmod', 'g-w'],
    };
  }
  return undefined;
}

/**
 * Returns the id of the group staff; `undefined` if the group does not exist. On Debian, staff may write to /usr/local
 * (2775 root:staff), and Policy 9.1.2 documents it as equivalent to root. Finds the group by name, since other systems
 * give its id to another group.
 */
async function staffGroup(host: HostReader, root: string): Promise<number | undefined> {
  const groups = await fileText(host, join(root, 'etc/group'));
  const number = /^staff:[^:\n]*:(\d+):/m.exec(groups)?.[1];
  return number === undefined ? undefined : Number(number);
}

async function settingsFiles(host: HostReader, { slipway }: NodePaths): Promise<readonly string[]> {
  const found: string[] = [];
  for (const layer of slipway.configLayers) {
    const isFolder = (await host.stat(layer))?.kind === 'directory';
    found.push(...(isFolder ? (await host.list(layer)).map((name) => join(layer, name)) : [layer]));
  }
  return found;
}

function nextStep(root: string, at: string, name: string): string {
  if (name !== '..') {
    // A join would cost most of the time of this walk, of which each pass takes a hundred.
    return at.endsWith('/') ? `${at}${name}` : `${at}/${name}`;
  }
  return at === root ? root : dirname(at);
}

/** Returns a function that reads the attributes of each path only once. */
function statsOnce(look: Look): Look {
  const known = new Map<string, ReturnType<Look>>();
  return (path) => {
    const stat = known.get(path) ?? look(path);
    known.set(path, stat);
    return stat;
  };
}
