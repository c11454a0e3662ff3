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

These are the files that one process of Slipway writes for another. Each is JSON and begins with the number of its
format. An upgrade or a rollback leaves them as they are, so the release that reads a file may differ from the one that
wrote it.

A release reads the files of the release before it and of the one after it. It ignores fields that it does not know,
with any number. If it cannot read a field that it needs, the file counts as lost, like a damaged one; the last column
shows the effect. A file without a number is from a release that had no numbers, and is read as well.

| file | format | what it holds | what reads it | if it is lost |
|---|---|---|---|---|
${rows.join('\n')}

A lost file never permits anything: none of them holds a consent, and whether this server founds a cluster depends on
K3s's own files.

Everything else on the page of [owned files](owned-files.md) is in the format of the program that reads it. Three kinds
of text are Slipway's own and have no number, since releases without formats read them: the locks (process id and start
time), \`slipway-last-version\` (the name of a release of K3s) and \`/usr/local/bin/.*.slipway-part.refused\` (the digest of
an archive that could not be unpacked). They are one line each, and will stay so.
`;
}

if (import.meta.main) {
  writeFileSync(pageFile, filesPage());
}
