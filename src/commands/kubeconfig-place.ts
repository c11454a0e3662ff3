/** Where `slipway kubeconfig` puts the admin's key: a private file, or standard output. */
import { fstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { isatty } from 'node:tty';
import type { NodeError } from '../agent/engine/errors.ts';
import type { Host } from '../agent/engine/host.ts';
import type { Secret } from '../agent/engine/secret.ts';
import { misused } from './cli-forms.ts';

/** The permission bits of all users except the owner. */
const others = 0o077;
/** The permission bits with which other users may replace the entries of a directory, and the sticky bit. */
const [writable, sticky] = [0o022, 0o1000];

/**
 * Throws `InvalidSettings` if standard output would show the key to others: a file that other users may read, the
 * journal, or, unless the person asked for it with `-`, a terminal.
 */
export function requirePrivateOutput(isAsked: boolean): void {
  const found = fstatSync(1);
  if (found.isFile() && (found.mode & others) !== 0) {
    throw refused('standard output is a file that other users may read', 'Remove it, and use --output FILE');
  }
  if (process.env.JOURNAL_STREAM === `${found.dev}:${found.ino}`) {
    throw refused('standard output is the journal', 'Use --output FILE');
  }
  if (isatty(1) && !isAsked) {
    throw refused('a terminal keeps what it shows', 'Use --output FILE, or --output - to show it');
  }
}

/**
 * Writes the key to a new file that only its owner may read. Returns false if the file already has this content. Throws
 * `InvalidSettings` if another file exists, or if the folder or its file system does not keep the file private.
 */
export async function writePrivately(host: Host, path: string, content: Secret): Promise<boolean> {
  await requireSafeFolder(host, path);
  const found = await host.stat(path);
  if (found !== undefined) {
    await requireSame(host, path, content);
    return false;
  }
  // An empty file shows whether the file system keeps modes, before the key is in it.
  await host.writeFile(path, '', { mode: 0o600 });
  const made = await host.stat(path);
  if (made === undefined || (made.mode & others) !== 0) {
    await host.remove(path);
    throw refused(
      `the file system of ${path} lets other users read every file`,
      'Name a file on another file system',
    );
  }
  await host.writeFile(path, content, { mode: 0o600 });
  return true;
}

async function requireSafeFolder(host: Host, path: string): Promise<void> {
  const folder = dirname(path);
  const found = await host.stat(folder);
  if (found === undefined) {
    throw refused(`the folder ${folder} does not exist`, 'Make it, or name another one');
  }
  const isOpen = (found.mode & writable) !== 0 && (found.mode & sticky) === 0;
  if (found.foreignUser !== undefined || isOpen) {
    throw refused(`other users may replace the files in ${folder}`, 'Name a file in a folder of your own');
  }
}

async function requireSame(host: Host, path: string, content: Secret): Promise<void> {
  const found = await host.readFile(path);
  if (found?.content !== content.reveal()) {
    throw refused(`${path} exists and is another file`, 'Remove it, or name another one');
  }
  if ((found.mode & others) !== 0) {
    throw refused(`other users may read ${path}`, `Run chmod 0600 ${path}`);
  }
}

function refused(why: string, repair: string): NodeError {
  return misused('kubeconfig', `was not written: ${why}. ${repair}.`);
}
