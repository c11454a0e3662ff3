/**
 * Reads the files that Slipway owns on a VM from docs/usage/owned-files.md; no test covers a file that the page omits.
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

/** Matches the files in which K3s's unit records the last start of K3s; nothing else writes these files. */
export const startNote = /\/slipway-(started-with\.json|last-version)$/;

/**
 * Matches the files that exist only with a channel, with backups or with several servers, or during or after a turn, an
 * upgrade, a drain, a reboot, a hold, a rotation of the join token or a restore.
 */
export const occasional =
  /\/10-slipway-datastore\.yaml$|\/(backup-request|backups|channel|drain|founding|hold|reboot|restore|token-rotation|turn|upgrade)\.json$|\/\.k3s\.(next|previous)$/;

/** Returns the files in the page's table, one entry for each path. */
export function ownedFiles(): readonly OwnedFile[] {
  const rows = readFileSync(page, 'utf8').matchAll(/^\| (`\/.*?) \| (0\d{3}|link) \|/gm);
  return [...rows].flatMap(([, places = '', mode = '']) => pathsOf(places).map((path) => ({ path, mode })));
}

/**
 * Returns the paths in a table cell: in "`/a/b` or `c`", the name `c` stands for `/a/c`; `/a/{b,c}` stands for two
 * paths.
 */
function pathsOf(places: string): readonly string[] {
  const [first = '', ...others] = [...places.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return [first, ...others.map((name) => join(dirname(first), name))].flatMap(expanded);
}

function expanded(path: string): readonly string[] {
  const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? [];
  return names === undefined ? [path] : names.split(',').map((name) => `${before}${name}${after}`);
}

/**
 * Returns an entry for each path on a host: the mode and digest of the file, the target of the link, or `undefined` if
 * the path does not exist.
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
