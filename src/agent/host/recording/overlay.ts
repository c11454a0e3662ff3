import { dirname, join, resolve } from 'node:path';
import type { FileDigest } from '../../engine/compression.ts';
import { sha256 } from '../../engine/digest.ts';
import type { FileStat, FoundFile, HostReader } from '../../engine/host.ts';
import { fileError, systemError } from '../files/file-errors.ts';

/**
 * A file system that reads from the machine and writes to memory only.
 *
 * Each changed path has an entry. Any other path is read from the machine, unless a parent has an entry.
 */
export class Overlay {
  readonly #reader: HostReader;
  readonly #entries = new Map<string, Entry>();

  constructor(reader: HostReader) {
    this.#reader = reader;
  }

  async readFile(path: string): Promise<FoundFile | undefined> {
    const found = this.#lookUp(path);
    switch (found.kind) {
      case 'machine':
        return this.#reader.readFile(found.path);
      case 'file':
        return { content: found.content, mode: found.mode, modifiedAt: found.modifiedAt };
      case 'link':
        return this.readFile(resolve(dirname(path), found.target));
      case 'directory':
        throw fileError(systemError('EISDIR'), 'read', path);
      case 'gone':
        return undefined;
    }
  }

  async digest(path: string): Promise<FileDigest | undefined> {
    const found = this.#lookUp(path);
    if (found.kind === 'machine') {
      return this.#reader.digestFile(found.path);
    }
    const file = await this.readFile(path);
    return file && { bytes: Buffer.byteLength(file.content), sha256: sha256(file.content) };
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const found = this.#lookUp(path);
    switch (found.kind) {
      case 'machine':
        return this.#reader.stat(found.path);
      case 'file':
        return { ...withoutContent(found), size: Buffer.byteLength(found.content) };
      case 'link':
        return { ...found, mode: 0o777, size: Buffer.byteLength(found.target) };
      case 'directory':
        return { ...found, mode: 0o755, size: 0 };
      case 'gone':
        return undefined;
    }
  }

  async list(path: string): Promise<readonly string[]> {
    const found = this.#lookUp(path);
    if (found.kind === 'link') {
      return this.list(resolve(dirname(path), found.target));
    }
    const names = new Set(found.kind === 'machine' ? await this.#reader.list(found.path) : []);
    for (const [changed, entry] of this.#entries) {
      if (dirname(changed) !== path || changed === path) {
        continue;
      }
      const name = changed.slice(join(path, '/').length);
      if (entry.kind === 'gone') {
        names.delete(name);
      } else {
        names.add(name);
      }
    }
    return [...names].sort();
  }

  async writeFile(path: string, content: string, mode: number): Promise<void> {
    await this.#put(path, { kind: 'file', content, mode, modifiedAt: this.#reader.now() });
  }

  async link(path: string, target: string): Promise<void> {
    await this.#put(path, { kind: 'link', target, modifiedAt: this.#reader.now() });
  }

  async rename(from: string, to: string): Promise<void> {
    if ((await this.stat(from)) === undefined) {
      throw fileError(systemError('ENOENT'), 'rename', from);
    }
    const found = this.#lookUp(from);
    const below = [...this.#entries].filter(([path]) => path.startsWith(`${from}/`));
    await this.#put(to, found);
    for (const [path, entry] of below) {
      this.#entries.set(to + path.slice(from.length), entry);
    }
    this.remove(from);
  }

  remove(path: string): void {
    for (const changed of [...this.#entries.keys()]) {
      if (changed.startsWith(`${path}/`)) {
        this.#entries.delete(changed);
      }
    }
    this.#entries.set(path, { kind: 'gone' });
  }

  async #put(path: string, entry: Entry): Promise<void> {
    if ((await this.stat(path))?.kind === 'directory') {
      throw fileError(systemError('EISDIR'), 'write', path);
    }
    await this.#makeDirectory(dirname(path));
    this.#entries.set(path, entry);
  }

  async #makeDirectory(path: string): Promise<void> {
    const found = await this.stat(path);
    if (found?.kind === 'file') {
      throw fileError(systemError('ENOTDIR'), 'make the directory', path);
    }
    if (found !== undefined) {
      return;
    }
    await this.#makeDirectory(dirname(path));
    this.#entries.set(path, { kind: 'directory', modifiedAt: this.#reader.now() });
  }

  #lookUp(path: string): Entry {
    const entry = this.#entries.get(path);
    if (entry) {
      return entry;
    }
    if (path === dirname(path)) {
      return { kind: 'machine', path };
    }
    const parent = this.#lookUp(dirname(path));
    const name = path.slice(join(dirname(path), '/').length);
    if (parent.kind === 'machine') {
      return { kind: 'machine', path: join(parent.path, name) };
    }
    if (parent.kind === 'link') {
      return this.#lookUp(resolve(dirname(dirname(path)), parent.target, name));
    }
    return { kind: 'gone' };
  }
}

/**
 * The state of a path. A `directory` was created in memory, so everything in it has an entry, too; `machine` is the
 * machine's own entry at `path`.
 */
type Entry =
  | { readonly kind: 'machine'; readonly path: string }
  | { readonly kind: 'file'; readonly content: string; readonly mode: number; readonly modifiedAt: number }
  | { readonly kind: 'link'; readonly target: string; readonly modifiedAt: number }
  | { readonly kind: 'directory'; readonly modifiedAt: number }
  | { readonly kind: 'gone' };

function withoutContent({ kind, mode, modifiedAt }: Extract<Entry, { kind: 'file' }>) {
  return { kind, mode, modifiedAt };
}
