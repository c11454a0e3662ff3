import { writeFileSync } from 'node:fs';
import { type OwnFile, ownFiles } from '../src/agent/own-files.ts';
import { nodePaths } from '../src/agent/paths.ts';

// Writes docs/usage/files.md from the table of Slipway's files; run as `node packaging/files-page.ts`.

const pageFile = new URL('../docs/usage/files.md', import.meta.url);

export function filesPage(): string {
  const rows = Object.values<OwnFile>(ownFiles).map(
    ({ place, format, holds, readers, lost }) =>
      `| \`${place(nodePaths('/'))}\` | ${format} | ${holds} | ${readers} | ${lost} |`,
  );
  return `<!-- made by packaging/files-page.ts -->
# Files that Slipway reads back

Look up which files Slipway reads back, and the effect of losing one. A process of Slipway writes each of these files
for itself or for another process. The files are JSON and begin with the number of their format. An upgrade or a
rollback does not change them, so the release that reads a file may differ from the release that wrote it.

Each release reads the files of the previous and the next release. It ignores unknown fields, whatever the number is. If
it cannot read a field that it needs, it treats the file as lost; the last column shows the effect. It also reads files
without a number, which older releases wrote.

| file | format | content | readers | effect of losing it |
|---|---|---|---|---|
${rows.join('\n')}

The loss of a file never grants a permission: none of these files contains a consent, and whether this server creates a
cluster depends on K3s's own files.

All other [owned files](owned-files.md) are in the format of the program that reads them. Three kinds of Slipway's own
files have no number, since releases without formats read them: the locks (process id and start time),
\`slipway-last-version\` (the name of a release of K3s) and \`/usr/local/bin/.*.slipway-part.refused\` (the digest of an
archive that could not be unpacked). Each of these files has one line, and this will not change.

## What can go wrong

- **A file is damaged or deleted.** The last column shows the effect; Slipway writes the file again.
`;
}

if (import.meta.main) {
  writeFileSync(pageFile, filesPage());
}
