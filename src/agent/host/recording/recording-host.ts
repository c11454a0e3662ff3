import { Recorded } from '../../engine/errors.ts';
import type { Host, HostReader, HttpRequest } from '../../engine/host.ts';
import { type Before, downloadOf, type RecordedAction, runOf, sendOf } from '../../engine/recorded-action.ts';
import { type Content, redacted, reveal, Secret } from '../../engine/secret.ts';
import { Overlay } from './overlay.ts';

/**
 * Makes the Host of a dry run. Reads come from the machine. Changes go to memory, so that later reads see them, and to
 * `journal`.
 *
 * Records each `run`, `send`, `upload`, `fetchFile`, `copyFile`, `copyDatabase`, `compress`, `decompress`, `download`
 * and `install`, and each `get` with a secret header, and then throws `Recorded`, because the effect is unknown.
 * Reports no running job and performs each job at once, so that unfinished work is recorded too. Records the
 * description of a secret without fetching the secret. Skips sleeps.
 */
export function recordingHost(reader: HostReader): Host & { readonly journal: readonly RecordedAction[] } {
  const journal: RecordedAction[] = [];
  const files = new Overlay(reader);
  return {
    journal,
    readFile: (path) => files.readFile(path),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    digestFile: (path) => files.digest(path),
    query: (command) => reader.query(command),
    readDatabase: (path, queries) => reader.readDatabase(path, queries),
    readSnapshot: (path, queries) => reader.readSnapshot(path, queries),
    get: async (request) =>
      bearsSecret(request) ? record(sendOf({ ...request, method: 'GET' })) : reader.get(request),
    peerCertificate: (url, patience) => reader.peerCertificate(url, patience),
    job: async () => undefined,
    now: () => reader.now(),
    monotonic: () => reader.monotonic(),

    async writeFile(path, content, { mode }) {
      const before = await replacedFile(files, path, content);
      await files.writeFile(path, reveal(content), mode);
      journal.push({ kind: 'write', path, mode, content: `${content}`, ...(before && { before }) });
    },
    async link(path, target) {
      const before = (await files.stat(path))?.target;
      await files.link(path, target);
      journal.push({ kind: 'link', path, target, ...(before !== undefined && { before }) });
    },
    async rename(from, to) {
      await files.rename(from, to);
      journal.push({ kind: 'rename', from, to });
    },
    async remove(path) {
      if ((await files.stat(path)) === undefined) {
        return;
      }
      journal.push({ kind: 'remove', path });
      files.remove(path);
    },

    run: async (command) => record(runOf(command)),
    send: async (request) => record(sendOf(request)),
    copyFile: async (from, to) => record({ kind: 'copyFile', from, to }),
    upload: async ({ file, url }) => record({ kind: 'upload', from: file, url }),
    fetchFile: async ({ file, url }) => record({ kind: 'fetch', url, path: file }),
    copyDatabase: async ({ from, to }) => record({ kind: 'copy', from, to }),
    compress: async ({ from, to }) => record({ kind: 'compress', from, to }),
    decompress: async ({ from, to }) => record({ kind: 'decompress', from, to }),
    download: async (download) => record(downloadOf(download)),
    install: async (download) => record(downloadOf(download)),
    perform: (_job, work) => work(new AbortController().signal),
    async obtain(what) {
      journal.push({ kind: 'obtain', what });
      return new Secret(redacted);
    },
    sleep: async () => {},
  };

  function record(action: RecordedAction): never {
    journal.push(action);
    throw new Recorded(`${action.kind} was recorded and not done`);
  }
}

function bearsSecret({ headers = {} }: HttpRequest): boolean {
  return Object.values(headers).some((value) => value instanceof Secret);
}

/**
 * Returns the mode and text of the file that a write replaces; `undefined` if nothing is at the path. Omits the text if
 * the entry is not a readable file, or if the new content is a secret.
 */
async function replacedFile(files: Overlay, path: string, content: Content): Promise<Before | undefined> {
  const stat = await files.stat(path);
  if (stat === undefined) {
    return undefined;
  }
  if (stat.kind !== 'file' || content instanceof Secret) {
    return { mode: stat.mode };
  }
  const found = await files.readFile(path).catch(() => undefined);
  return { mode: stat.mode, ...(found && { content: found.content }) };
}
