import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import { defaults } from '../src/agent/settings/defaults.ts';
import { completions } from './completions.ts';
import { manPage } from './man-page.ts';
import type { Release } from './release.ts';
import { thirdPartyNotices } from './third-party-notices.ts';

export const maintainer = 'The Slipway authors <slipway@packages.example.org>';

export interface PackageFile {
  /** The path below the root of the machine. */
  readonly path: string;
  readonly content: string | Buffer;
  readonly mode: number;
}

/** Returns the files of the Debian package, except for the executable. */
export function packageFiles(release: Release): readonly PackageFile[] {
  const doc = 'usr/share/doc/slipway';
  return [
    file('usr/lib/systemd/system/slipway.service', unit('slipway.service')),
    file('usr/lib/systemd/system/slipway-directories.service', unit('slipway-directories.service')),
    file('usr/lib/tmpfiles.d/slipway.conf', readFileSync('systemd/slipway.tmpfiles.conf')),
    file('usr/lib/slipway/config.d/00-defaults.yaml', commentedDefaults()),
    file('usr/share/man/man8/slipway.8.gz', compressed(manPage(release))),
    file('usr/share/bash-completion/completions/slipway', completions.bash()),
    file('usr/share/zsh/vendor-completions/_slipway', completions.zsh()),
    file('usr/share/fish/vendor_completions.d/slipway.fish', completions.fish()),
    file(`${doc}/copyright`, readFileSync('packaging/deb/copyright')),
    file(`${doc}/changelog.gz`, compressed(changelog(release))),
    file(`${doc}/third-party-notices.gz`, compressed(thirdPartyNotices())),
    file(`${doc}/examples/config.yaml`, readFileSync('packaging/deb/config.yaml')),
    file('usr/share/lintian/overrides/slipway', readFileSync('packaging/deb/lintian-overrides')),
  ];
}

function file(path: string, content: string | Buffer): PackageFile {
  return { path, content, mode: 0o644 };
}

/** Returns the text of the systemd unit with the path at which the package installs the executable. */
export function unit(name: string): string {
  return readFileSync(`systemd/${name}`, 'utf8').replaceAll('/usr/local/bin/slipway', '/usr/bin/slipway');
}

/** Returns the default settings with every line commented out. */
export function commentedDefaults(): string {
  const head = `The defaults of Slipway. This file belongs to the package, and has no effect:
put settings in /etc/slipway/config.yaml. Settings of an image can be beside this file.

`;
  return `${head}${stringify(defaults, { aliasDuplicateObjects: false })}`
    .trimEnd()
    .replace(/^/gm, '# ')
    .replace(/ +$/gm, '')
    .concat('\n');
}

/** Returns the first section of CHANGELOG.md in the format of deb-changelog(5), at most 80 columns wide. */
function changelog({ version, date }: Release): string {
  const [, newest = ''] = readFileSync('CHANGELOG.md', 'utf8').split(/^## .*$/m);
  const entries = newest.match(/^- .*(\n {2}.*)*/gm) ?? [];
  const lines = entries.map((entry) => folded(`* ${entry.slice(2).replaceAll(/\s+/g, ' ')}`));
  const when = date.toUTCString().replace('GMT', '+0000');
  return `slipway (${version}) unstable; urgency=medium\n\n${lines.join('\n')}\n\n -- ${maintainer}  ${when}\n`;
}

function folded(entry: string): string {
  return entry
    .replace(/(.{1,74})(?: |$)/g, '    $1\n')
    .replace(/^ {4}\*/, '  *')
    .trimEnd();
}

/** Compresses text with gzip, without a file name or a time in the header, so that packages are reproducible. */
function compressed(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}
