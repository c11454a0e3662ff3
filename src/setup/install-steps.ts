import { dirname, join } from 'node:path';
import type { Command, Host, HostReader } from '../agent/engine/host.ts';
import { compare, inSync, type Resource } from '../agent/engine/resource.ts';
import { ownOwner } from '../agent/host/files/ownership.ts';
import { safeWay } from '../agent/parts/machine/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { unless } from '../agent/resources/combinators.ts';
import { file } from '../agent/resources/file.ts';
import { octal, owner } from '../agent/resources/file-attributes.ts';
import { realPath } from '../agent/resources/real-path.ts';
import { isBooted, systemctl, unitLoaded } from '../agent/resources/unit.ts';
import type { InstalledFiles } from './installed-files.ts';
import { daemonUnit, directoriesUnit, setupPaths } from './setup-paths.ts';

export interface InstallSpec {
  readonly paths: NodePaths;
  /** The path of the executable to install. */
  readonly self: string;
  readonly files: InstalledFiles;
}

/**
 * Returns the steps of `slipway install`, in order. The units are loaded and the daemon is enabled only after their
 * files are written. The example settings come last, because a later install takes the example as the sign of a
 * completed install.
 */
export function installSteps({ paths, self, files }: InstallSpec): readonly Resource[] {
  const places = setupPaths(paths);
  const safe = safeWay(paths, Object.values(places), 'System');
  const executable = executableInPlace(self, places.executable, paths.root, [safe.id]);
  const put = (name: keyof InstalledFiles, needs: readonly string[] = [safe.id]) =>
    file({ path: places[name], content: files[name], replacesLinks: true, condition: 'System', needs });
  const written = [put('directories'), put('daemon'), put('tmpfiles')];
  const needs = [executable, ...written].map(({ id }) => id);
  const enabled = daemonEnabled(paths, needs);
  return [
    safe,
    executable,
    ...written,
    ownUnitLoaded(paths, directoriesUnit, needs),
    ownUnitLoaded(paths, daemonUnit, needs),
    enabled,
    put('example', [enabled.id]),
  ];
}

/**
 * Enables the daemon for the next boot, even without a running systemd, as in an image. A unit that an operator or
 * k3s-uninstall.sh disabled after the first install stays disabled.
 */
function daemonEnabled(paths: NodePaths, needs: readonly string[]): Resource {
  const enabling = systemctlBelow(paths, 'enable', daemonUnit);
  return {
    id: `UnitEnabled/${daemonUnit}`,
    summary: `systemctl enable ${daemonUnit}`,
    condition: 'System',
    needs,
    async check(host) {
      if (await host.stat(setupPaths(paths).example)) {
        return inSync();
      }
      return compare({ enabled: await enablement(host, paths) }, { enabled: 'enabled' }, async (host) => {
        await host.run(enabling);
      });
    },
  };
}

/** Returns the state of the daemon's unit from `systemctl is-enabled`: `enabled`, `disabled`, `masked` and others. */
export async function enablement(host: HostReader, paths: NodePaths): Promise<string> {
  return (await host.query(systemctlBelow(paths, 'is-enabled', daemonUnit))).stdout.trim();
}

function systemctlBelow({ root }: NodePaths, ...args: readonly string[]): Command {
  return systemctl(...(root === '/' ? [] : ['--root', root]), ...args);
}

/** Installs the executable by a rename, so that a running executable is not disturbed. */
function executableInPlace(self: string, path: string, root: string, needs: readonly string[]): Resource {
  return {
    id: 'Executable/slipway',
    summary: `copy ${self} to ${path}`,
    condition: 'System',
    needs,
    async check(host) {
      const found = await host.stat(path);
      const isSame =
        found?.kind === 'file' &&
        (await host.query(cmpCommand(self, await realPath(host, path, root)))).exitCode === 0;
      return compare(
        {
          content: isSame ? 'this executable' : found && 'another',
          mode: found && octal(found.mode),
          owner: owner(found ?? {}),
        },
        { content: 'this executable', mode: '0755', owner: 'own' },
        (host) => copyExecutable(host, self, path, root),
      );
    },
  };
}

function cmpCommand(self: string, path: string): Command {
  return { file: 'cmp', args: ['--silent', '--', self, path] };
}

/**
 * Replaces `path` with a copy of the executable that has our owner and mode 0755. Flushes the copy to disk before the
 * rename: after a power cut, the file is either the old one or the new one.
 */
async function copyExecutable(host: Host, self: string, path: string, root: string): Promise<void> {
  // The commands below do not know the root and would follow links that lead out of it, so the links are resolved here.
  const draft = join(await realPath(host, dirname(path), root), '.slipway.new');
  await host.run({ file: 'install', args: ['-D', '-m', '0755', '--', self, draft] });
  // In a setgid directory, the copy has the group of the directory.
  await host.run({ file: 'chown', args: ['--', ownOwner(), draft] });
  await host.run({ file: 'sync', args: ['--', draft] });
  await host.rename(draft, path);
}

/** Makes systemd load a unit. Does nothing without a running systemd, which reads the files when it starts. */
function ownUnitLoaded(paths: NodePaths, unit: string, needs: readonly string[]): Resource {
  const resource = unitLoaded({ unit, path: join(paths.system.units, unit), condition: 'System', needs });
  return unless(resource, async (host) => ((await isBooted(host, paths.root)) ? undefined : inSync()));
}
