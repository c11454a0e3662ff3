import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run } from './run.ts';

/** The version of an npm package, and the digest of its archive. */
export interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

/**
 * Returns the version and digest that package-lock.json pins for an npm package; throws an Error if the package is not
 * pinned.
 */
export function lockedPackage(name: string): LockedPackage {
  const lock: { packages: Record<string, LockedPackage | undefined> } = JSON.parse(
    readFileSync('package-lock.json', 'utf8'),
  );
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) {
    throw new Error(`package-lock.json does not pin node_modules/${name}`);
  }
  return locked;
}

/**
 * Returns `target`, the path of a copy of a file in the pinned npm package, such as `bin/node`. If the copy is missing,
 * downloads and verifies the package, because npm installs only the packages for this machine's processor. Throws an
 * Error if the package differs from the pinned digest.
 */
export function npmFile(name: string, file: string, target: string): string {
  if (existsSync(target)) {
    return target;
  }
  const cache = dirname(target);
  const { version, integrity } = lockedPackage(name);
  run('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--silent', '--pack-destination', cache]);
  const archive = join(cache, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  verify(archive, integrity);
  const folder = `${target}.part`;
  mkdirSync(folder, { recursive: true });
  run('tar', ['-xzf', archive, '-C', folder, '--no-same-owner', join('package', file)]);
  renameSync(join(folder, 'package', file), target);
  rmSync(folder, { recursive: true });
  rmSync(archive);
  return target;
}

function verify(archive: string, integrity: string): void {
  const [algorithm = '', expected] = integrity.split(/-(.*)/);
  const found = createHash(algorithm).update(readFileSync(archive)).digest('base64');
  if (found === expected) {
    return;
  }
  rmSync(archive);
  throw new Error(
    `${basename(archive)} is not what package-lock.json pins: ${algorithm} ${found}, not ${expected}`,
  );
}
