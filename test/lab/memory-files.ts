import { dirname, resolve } from 'node:path';
import type { FileStat, FoundFile, Owned } from '../../src/agent/engine/host.ts';
import { rememberingObjects } from '../../src/agent/engine/remembering.ts';
import { largestText, tooLarge } from '../../src/agent/host/files/bounded-read.ts';
import { fileError, systemError } from '../../src/agent/host/files/file-errors.ts';

type Node = Owned & { readonly modifiedAt: number } & (
    | { readonly kind: 'file'; readonly content: string; readonly mode: number }
    | { readonly kind: 'directory'; readonly mode: number }
    | { readonly kind: 'link'; readonly target: string }
  );

/** The last inode of all file systems in this process, so that no two files share one. */
let lastInode = 0;

/** Returns the attributes of an entry. The inode changes when the entry is written. */
const statOf = rememberingObjects((node: Node): FileStat => {
  lastInode += 1;
  switch (node.kind) {
    case 'file': {
      const { content, ...stat } = node;
      return { ...stat, size: Buffer.byteLength(content), inode: lastInode };
    }
    case 'directory':
      return { ...node, size: 0, inode: lastInode };
    case 'link':
      return { ...node, mode: 0o777, size: Buffer.byteLength(node.target), inode: lastInode };
  }
});

const foundIn = rememberingObjects(
  ({ kind: _, ...found }: Extract<Node, { kind: 'file' }>): FoundFile => found,
);

/**
 * An in-memory file system that returns and throws what a real one would. Its calls are synchronous, so that a function
 * that models a command can use the files as the real program would.
 */
export class MemoryFiles {
  readonly #nodes = new Map<string, Node>();
  readonly #now: () => number;
  /**
   * A cache of resolved paths, valid until a link changes. A test that simulates days reads each path thousands of
   * times.
   */
  readonly #places = new Map<string, string>();
  /** The files whose content is computed at each read. */
  readonly #computed = new Map<string, () => string>();
  /** A cache of the names in each directory, valid until a name is added or removed. */
  readonly #lists = new Map<string, readonly string[]>();
  /** The folders whose changes are counted, and the number of changes below each. */
  readonly #counted = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
    this.#nodes.set('/', { kind: 'directory', mode: 0o755, modifiedAt: now() });
  }

  /**
   * Returns the text of the file at a path, following links; `undefined` if the file is missing. Throws as `read` does.
   */
  text(path: string): string | undefined {
    return this.read(path)?.content;
  }

  read(path: string): FoundFile | undefined {
    const real = this.#real(path);
    const compute = this.#computed.get(real);
    if (compute) {
      return { content: compute(), mode: 0o444, modifiedAt: this.#now() };
    }
    const node = this.#nodes.get(real);
    if (node === undefined) {
      return undefined;
    }
    if (node.kind !== 'file') {
      throw fileError(systemError('EISDIR'), 'read', path);
    }
    if (node.content.length > largestText) {
      throw tooLarge(path);
    }
    return foundIn(node);
  }

  stat(path: string): FileStat | undefined {
    const node = this.#nodes.get(this.#place(path));
    return node && statOf(node);
  }

  list(path: string): readonly string[] {
    const real = this.#real(path);
    const node = this.#nodes.get(real);
    if (node?.kind === 'file') {
      throw fileError(systemError('ENOTDIR'), 'list', path);
    }
    const known = this.#lists.get(real);
    if (known !== undefined) {
      return known;
    }
    const names = this.#listAnew(real);
    this.#lists.set(real, names);
    return names;
  }

  write(path: string, content: string, mode = 0o644): void {
    this.#put(path, { kind: 'file', content, mode, modifiedAt: this.#now() });
  }

  /** Returns a function that counts the changes below a folder from now on. */
  countChanges(directory: string): () => number {
    const start = `${directory}/`;
    this.#counted.set(start, this.#counted.get(start) ?? 0);
    return () => this.#counted.get(start) ?? 0;
  }

  /** Adds a file whose content is computed at each read, such as /proc/uptime. Snapshots omit the file. */
  compute(path: string, make: () => string): void {
    this.#computed.set(path, make);
  }

  /**
   * Changes the owner of a path to `uid:gid`, by default to the process's user. Changes a link itself, not its target.
   * Throws ENOENT if the path is missing.
   */
  give(path: string, owner?: string): void {
    const { foreignOwner: _, foreignUser: __, foreignGroup: ___, ...node } = this.#existing(path);
    this.#nodes.set(this.#place(path), { ...node, ...(owner !== undefined && owned(owner)) });
  }

  /** Changes the permission bits of a file or directory, but not of a link. Throws ENOENT if the path is missing. */
  changeMode(path: string, mode: number): void {
    const node = this.#existing(path);
    if (node.kind !== 'link') {
      this.#nodes.set(this.#place(path), { ...node, mode });
    }
  }

  link(path: string, target: string): void {
    this.#put(path, { kind: 'link', target, modifiedAt: this.#now() });
  }

  makeDirectory(path: string, mode = 0o755): void {
    const place = this.#real(path);
    const node = this.#nodes.get(place);
    if (node?.kind === 'directory') {
      return;
    }
    if (node) {
      throw fileError(systemError('ENOTDIR'), 'make the directory', path);
    }
    this.makeDirectory(dirname(place), mode);
    this.#nodes.set(place, { kind: 'directory', mode, modifiedAt: this.#now() });
    this.#lists.clear();
  }

  rename(from: string, to: string): void {
    const [source, goal] = [this.#place(from), this.#place(to)];
    const node = this.#existing(from, 'rename');
    const tree = this.#below(source).map((path) => [path, this.#nodes.get(path) ?? node] as const);
    this.remove(from);
    this.#put(goal, node);
    for (const [path, each] of tree) {
      this.#nodes.set(goal + path.slice(source.length), each);
      this.#count(goal + path.slice(source.length));
    }
    this.#forget(tree.map(([, each]) => each));
  }

  remove(path: string): void {
    const place = this.#place(path);
    const removed = [place, ...this.#below(place)];
    const nodes = removed.flatMap((each) => this.#nodes.get(each) ?? []);
    for (const each of removed) {
      this.#nodes.delete(each);
      this.#count(each);
    }
    this.#forget(nodes);
  }

  /**
   * Returns the mode and content of every file and the target of every link, sorted by path. Omits directories and
   * owners.
   */
  snapshot(): Readonly<Record<string, string>> {
    const shown = [...this.#nodes]
      .filter(([, node]) => node.kind !== 'directory')
      .map(
        ([path, node]) => [path, node.kind === 'file' ? fileShown(node) : `-> ${targetOf(node)}`] as const,
      );
    return Object.fromEntries(shown.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #existing(path: string, action = 'change'): Node {
    const node = this.#nodes.get(this.#place(path));
    if (node === undefined) {
      throw fileError(systemError('ENOENT'), action, path);
    }
    return node;
  }

  #put(path: string, node: Node): void {
    const place = this.#place(path);
    const before = this.#nodes.get(place);
    if (before?.kind === 'directory') {
      throw fileError(systemError('EISDIR'), 'write', path);
    }
    this.makeDirectory(dirname(place));
    this.#nodes.set(place, node);
    this.#count(place);
    if (before?.kind !== node.kind || node.kind === 'link') {
      this.#forget(before === undefined ? [node] : [node, before]);
    }
  }

  /** Counts a change of an entry in the folders whose changes are counted. */
  #count(place: string): void {
    for (const [start, changes] of this.#counted) {
      if (place.startsWith(start)) {
        this.#counted.set(start, changes + 1);
      }
    }
  }

  /** Empties the caches that a change of these entries makes invalid. */
  #forget(changed: readonly Node[]): void {
    this.#lists.clear();
    if (changed.some(({ kind }) => kind === 'link')) {
      this.#places.clear();
    }
  }

  /** Returns the places of all entries below a place, at any depth. */
  #below(place: string): readonly string[] {
    return this.#nodes.get(place)?.kind === 'directory'
      ? [...this.#nodes.keys()].filter((each) => each.startsWith(`${place}/`))
      : [];
  }

  #listAnew(directory: string): readonly string[] {
    const start = directory === '/' ? '/' : `${directory}/`;
    return [...this.#nodes.keys()]
      .filter((each) => each.startsWith(start) && each.lastIndexOf('/') === start.length - 1 && each !== '/')
      .map((each) => each.slice(start.length))
      .sort();
  }

  /** Resolves the links in the directories of a path, but not a link in its last part. */
  #place(path: string): string {
    const known = this.#places.get(path);
    if (known !== undefined) {
      return known;
    }
    const place = this.#placeAnew(path);
    this.#places.set(path, place);
    return place;
  }

  #placeAnew(path: string): string {
    const absolute = resolve('/', path);
    return absolute === '/'
      ? '/'
      : resolve(this.#real(dirname(absolute)), absolute.slice(absolute.lastIndexOf('/') + 1));
  }

  #real(path: string, links = 0): string {
    if (links > 40) {
      throw fileError(systemError('ELOOP'), 'read', path);
    }
    const place = this.#place(path);
    const node = this.#nodes.get(place);
    return node?.kind === 'link' ? this.#real(resolve(dirname(place), node.target), links + 1) : place;
  }
}

function owned(foreignOwner: string): Owned {
  const [user = 0, group = 0] = foreignOwner.split(':').map(Number);
  return {
    foreignOwner,
    ...(user !== 0 && { foreignUser: user }),
    ...(group !== 0 && { foreignGroup: group }),
  };
}

function fileShown({ content, mode }: Extract<Node, { kind: 'file' }>): string {
  return `${mode.toString(8).padStart(4, '0')} ${content}`;
}

function targetOf(node: Node): string {
  return node.kind === 'link' ? node.target : '';
}
