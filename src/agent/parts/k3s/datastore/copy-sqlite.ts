import type { DatabaseFacts } from '../../../engine/database.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { advisory } from '../../../engine/severity.ts';
import type { NodePaths } from '../../../paths.ts';
import { activeStart } from './active-start.ts';
import { sqlitePath } from './datastore-kind.ts';
import { kineQueries } from './kine.ts';

const gigabyte = 1024 ** 3;

/**
 * Returns the size of the SQLite datastore with its write-ahead log, and the free bytes without which no copy is made;
 * `undefined` before the first start of K3s.
 */
export async function sqliteSize(
  host: HostReader,
  paths: NodePaths,
): Promise<{ readonly bytes: number; readonly room: number } | undefined> {
  const path = sqlitePath(paths);
  const [database, log] = [await host.stat(path), await host.stat(`${path}-wal`)];
  const bytes = database && database.size + (log?.size ?? 0);
  return bytes === undefined ? undefined : { bytes, room: 3 * bytes + gigabyte };
}

/**
 * Copies the SQLite datastore to a path. Throws `ServiceStarting` if K3s was restarted meanwhile, because such a copy
 * proves nothing, and `CopyDeclined` without the room.
 */
export async function copySqlite(
  host: Host,
  paths: NodePaths,
  { to, room }: { readonly to: string; readonly room: number },
  signal: AbortSignal,
): Promise<DatabaseFacts> {
  const before = await activeStart(host);
  const copy = { from: sqlitePath(paths), to, queries: kineQueries, room };
  const facts = await host.copyDatabase(copy, signal).catch((thrown: unknown) => {
    throw thrown instanceof NodeError && thrown.reason === 'DiskFull' ? declined(thrown) : thrown;
  });
  if (before === undefined || (await activeStart(host)) !== before) {
    throw new NodeError(
      'ServiceStarting',
      'K3s was restarted while its datastore was copied. It is copied again.',
      {
        blocks: false,
      },
    );
  }
  return facts;
}

function declined({ message }: NodeError): NodeError {
  return new NodeError(
    'CopyDeclined',
    `The datastore was not copied, and so what needs a copy waits: ${message} Free some space, or make the disk larger.`,
    advisory,
  );
}
