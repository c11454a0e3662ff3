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

Look up which files Slipway reads back, and the effect of losing one. A Slipway process writes each of these files for
itself, for later processes, or for other Slipway processes. In the table, a pass is one check of the whole node by the
daemon. The files are JSON and begin with the number of their format. An upgrade or a rollback of Slipway does not
change the files, so one release may read a file that another release wrote.

Each release can read the files of the previous and the next release. It ignores fields that it does not know, even if
the file has a higher format number than the release writes. If a field that the release needs is missing or invalid,
the file counts as lost; the last column shows the effect. A release also reads files without a format number, which
older releases wrote.

| file | format | content | readers | effect of losing it |
|---|---|---|---|---|
${rows.join('\n')}

The loss of a file never grants a permission: none of these files contains a consent, and whether this server creates a
cluster depends on K3s's own files.

All other [owned files](owned-files.md) have the format of the program that reads them. Slipway also reads back three
kinds of files without a format number, because releases that predate format numbers must still be able to read them:
the locks (process id and start time), \`slipway-last-version\` (the version of K3s) and
\`/usr/local/bin/.*.slipway-part.refused\` (the digest of an archive that could not be unpacked). In every release, each
of these files has exactly one line.

## What can go wrong

- **A file is damaged or deleted.** The last column of the table shows the effect. Slipway writes the file again.
`;
}

if (import.meta.main) {
  writeFileSync(pageFile, filesPage());
}
