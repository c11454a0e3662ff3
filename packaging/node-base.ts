import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Architecture, toolchains } from './architecture.ts';
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
 * npm did not install here. Strips a copy if requested and if binutils are installed. Keeps all files in `cache`.
 */
export function nodeBase(
  architecture: Architecture,
  cache: string,
  wish: { readonly strip: boolean },
): NodeBase {
  mkdirSync(cache, { recursive: true });
  const { version, integrity } = lockedPackage(architecture);
  const installed = join('node_modules', `node-linux-${architecture}`, 'bin', 'node');
  const published = existsSync(installed) ? installed : fetched(architecture, version, integrity, cache);
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

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

function lockedPackage(architecture: Architecture): LockedPackage {
  const lock: { packages: Record<string, LockedPackage | undefined> } = JSON.parse(
    readFileSync('package-lock.json', 'utf8'),
  );
  const name = `node_modules/node-linux-${architecture}`;
  const locked = lock.packages[name];
  if (locked === undefined) {
    throw new Error(`package-lock.json does not pin ${name}`);
  }
  return locked;
}

/**
 * Returns the path of the executable in `cache`. Downloads and verifies the executable if it is not there, because npm
 * installs only the package for this machine's processor.
 */
function fetched(architecture: Architecture, version: string, integrity: string, cache: string): string {
  const name = `node-linux-${architecture}`;
  const path = join(cache, `node-${version}-${architecture}`);
  if (existsSync(path)) {
    return path;
  }
  run('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--silent', '--pack-destination', cache]);
  const archive = join(cache, `${name}-${version}.tgz`);
  verify(archive, integrity);
  run('tar', ['-xzf', archive, '-C', cache, '--no-same-owner', 'package/bin/node']);
  renameSync(join(cache, 'package', 'bin', 'node'), path);
  rmSync(join(cache, 'package'), { recursive: true });
  rmSync(archive);
  return path;
}

function verify(archive: string, integrity: string): void {
  const [algorithm = '', expected] = integrity.split(/-(.*)/);
  const found = createHash(algorithm).update(readFileSync(archive)).digest('base64');
  if (found === expected) {
    return;
  }
  rmSync(archive);
  throw new Error(`${archive} is not what package-lock.json pins: ${algorithm} ${found}, not ${expected}`);
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
