import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, toolchains } from './architecture.ts';
import { lockedPackage, npmFile } from './npm-file.ts';
import { isInstalled, run } from './run.ts';

/** Node's executable for one architecture. */
export interface NodeBase {
  /** The path of the executable as it was published. */
  readonly published: string;
  /** The path of the executable to inject into: the published one, or a stripped copy. */
  readonly path: string;
  /** True if the symbols, 15 % of the file, were removed. Stripping after the injection makes the executable crash. */
  readonly stripped: boolean;
}

/**
 * Returns the Node executable that package-lock.json pins for `architecture`. Downloads and verifies an executable that
 * npm did not install here. Strips a copy if requested and if the binutils for `architecture` are installed. Writes
 * downloads and copies to `cache`.
 */
export function nodeBase(
  architecture: Architecture,
  cache: string,
  wish: { readonly strip: boolean },
): NodeBase {
  mkdirSync(cache, { recursive: true });
  const name = `node-linux-${architecture}`;
  const { version } = lockedPackage(name);
  const installed = join('node_modules', name, 'bin', 'node');
  const downloaded = join(cache, `node-${version}-${architecture}`);
  const published = existsSync(installed) ? installed : npmFile(name, 'bin/node', downloaded);
  const strip = wish.strip ? stripCommand(architecture) : undefined;
  if (strip === undefined) {
    return { published, path: published, stripped: false };
  }
  const path = join(cache, `node-${version}-${architecture}-stripped`);
  if (!existsSync(path)) {
    strippedCopy(strip, published, path);
  }
  return { published, path, stripped: true };
}

function stripCommand(architecture: Architecture): string | undefined {
  const cross = `${toolchains[architecture].binutils}-strip`;
  const candidates = architecture === process.arch ? [cross, 'strip'] : [cross];
  return candidates.find(isInstalled);
}

function strippedCopy(strip: string, from: string, to: string): void {
  const part = `${to}.part`;
  copyFileSync(from, part);
  chmodSync(part, 0o755);
  run(strip, [part]);
  renameSync(part, to);
}
