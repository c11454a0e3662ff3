import { shortDigest } from '../../../engine/digest.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { readableText } from '../../../resources/file-text.ts';

/** Why the distribution asks for a reboot of the machine. */
export interface RebootCause {
  /** When the distribution last asked, in epoch milliseconds. */
  readonly since: number;
  /** The packages whose update needs the reboot, sorted; empty if the distribution names none. */
  readonly packages: readonly string[];
  /** The same for the same packages. */
  readonly digest: string;
}

/** The longest list of packages that is read, in characters. */
const longest = 20_000;
/** The most packages that a message names. */
const mostNames = 10;

/**
 * Returns why the distribution asks for a reboot; `undefined` if it does not ask. Debian and Ubuntu make the file
 * reboot-required, and list the packages in reboot-required.pkgs (Debian Policy 8.8, "Signaling that a reboot is
 * required"); SUSE makes the file reboot-needed (libzypp). Both are in /run, which a reboot empties.
 */
export async function rebootCause(host: HostReader, { system }: NodePaths): Promise<RebootCause | undefined> {
  const [required, needed] = await Promise.all([
    host.stat(system.rebootRequired),
    host.stat(system.rebootNeeded),
  ]);
  const since = (required ?? needed)?.modifiedAt;
  if (since === undefined) {
    return undefined;
  }
  const packages = required ? packagesIn(await readableText(host, system.rebootPackages)) : [];
  return { since, packages, digest: shortDigest(packages.join(' ')) };
}

/**
 * Returns the names in a list with one name per line. Ignores lines that cannot be package names (deb-control(5),
 * Package).
 */
function packagesIn(text: string): readonly string[] {
  const names = text
    .slice(0, longest)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^[a-z0-9][a-z0-9+.-]{1,127}$/.test(line));
  return [...new Set(names)].toSorted();
}

/** Returns the packages as a clause that follows a verb, such as ` for libc6, linux-base`; empty without packages. */
export function forPackages({ packages }: RebootCause): string {
  const more = packages.length - mostNames;
  const named = packages.slice(0, mostNames).join(', ');
  return named && ` for ${named}${more > 0 ? ` and ${more} more packages` : ''}`;
}
