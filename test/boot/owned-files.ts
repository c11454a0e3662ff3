/** What Slipway owns on a VM, as docs/usage/owned-files.md lists it: a file that is missing there is tested nowhere. */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { octal } from '../../src/agent/resources/file-attributes.ts';
import type { BootedHost } from './booted-host.ts';

const page = join(import.meta.dirname, '../../docs/usage/owned-files.md');

export interface OwnedFile {
  /** Of one role or the other, so not there on every host. A name with `*` stands for several. */
  readonly path: string;
  /** `0644` and its like, or `link`. */
  readonly mode: string;
}

/** Notes of K3s' starts, which its unit writes and nothing else. */
export const startNote = /\/slipway-(started-with\.json|last-version)$/;

/** The rows of the page's table, a file each. */
export function ownedFiles(): readonly OwnedFile[] {
  const rows = readFileSync(page, 'utf8').matchAll(/^\| (`\/.*?) \| (0\d{3}|link) \|/gm);
  return [...rows].flatMap(([, places = '', mode = '']) => pathsOf(places).map((path) => ({ path, mode })));
}

/** The second of "`/a/b` or `c`" lies beside the first, and `/a/{b,c}` are two. */
function pathsOf(places: string): readonly string[] {
  const [first = '', ...others] = [...places.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return [first, ...others.map((name) => join(dirname(first), name))].flatMap(expanded);
}

function expanded(path: string): readonly string[] {
  const [, before, names, after] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? [];
  return names === undefined ? [path] : names.split(',').map((name) => `${before}${name}${after}`);
}

/** What stands at each path of a host, to be compared: kind, mode and digest; `undefined` where nothing does. */
export function look(
  host: BootedHost,
  paths: readonly string[],
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(paths.map((path) => [path, lookAt(host.path(path))]));
}

function lookAt(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (stats.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);
  return `${octal(stats.mode & 0o7777)} ${digest}`;
}
