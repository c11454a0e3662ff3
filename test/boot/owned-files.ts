/**
 * The files that Slipway owns on a VM, read from docs/usage/owned-files.md; a file that the page omits is not tested.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { octal } from '../../src/agent/resources/file-attributes.ts';
import type { BootedHost } from './booted-host.ts';

const page = join(import.meta.dirname, '../../docs/usage/owned-files.md');

export interface OwnedFile {
  /**
   * The path, which may exist only on hosts of one role. A path with `*` is a pattern for several files.
   */
  readonly path: string;
  /** A mode such as `0644`, or `link`. */
  readonly mode: string;
}

/** Matches the notes of the starts of K3s, which only K3s's unit writes. */
export const startNote = /\/slipway-(started-with\.json|last-version)$/;

/** Returns the rows of the page's table, one entry for each file. */
export function ownedFiles(): readonly OwnedFile[] {
  const rows = readFileSync(page, 'utf8').matchAll(/^\| (`\/.*?) \| (0\d{3}|link) \|/gm);
  return [...rows].flatMap(([, places = '', mode = '']) => pathsOf(places).map((path) => ({ path, mode })));
}

/** Expands a cell: the second name of "`/a/b` or `c`" is in the folder of the first, and `/a/{b,c}` is two paths. */
function pathsOf(places: string): readonly string[] {
  const [first = '', ...others] = [...places.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return [first, ...others.map((name) => join(dirname(first), name))].flatMap(expanded);
}

function expanded(path: string): readonly string[] {
  const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? [];
  return names === undefined ? [path] : names.split(',').map((name) => `${before}${name}${after}`);
}

/**
 * Returns the mode and digest, or the target of a link, for each path of a host; `undefined` if the path does not
 * exist.
 */
export function look(
  host: BootedHost,
  paths: readonly string[],
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(paths.map((path) => [path, lookAt(host.path(path))]));
}

function lookAt(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) {
    return undefined;
  }
  if (stats.isSymbolicLink()) {
    return `link to ${readlinkSync(path)}`;
  }
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);
  return `${octal(stats.mode & 0o7777)} ${digest}`;
}
