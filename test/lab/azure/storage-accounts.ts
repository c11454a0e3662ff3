/**
 * Emulated storage accounts with one container each, `backups`. An identity needs the role Storage Blob Data
 * Contributor on the account.
 */
import { BlobAccount } from '../stores/blob-container.ts';
import { storageSuffix } from './blob-storage.ts';
import type { Entra } from './entra.ts';
import { Faults, type Incoming, type LoggedRequest, type Loopback, startLoopback } from './loopback.ts';
import type { ServerCertificate } from './tls.ts';

export interface StorageAccounts {
  readonly server: Loopback;
  /** The accounts, by host name. */
  readonly accounts: ReadonlyMap<string, BlobAccount>;
}

export interface StorageAccountsOptions {
  readonly entra: Entra;
  readonly log: LoggedRequest[];
  readonly tls: ServerCertificate;
  readonly names: readonly string[];
}

/** Starts a server for these accounts. */
export async function startStorageAccounts(options: StorageAccountsOptions): Promise<StorageAccounts> {
  const { entra, log, tls, names } = options;
  const accounts = new Map(
    names.map((name) => {
      const host = `${name}.${storageSuffix}`;
      const hasRole = (id: string) => entra.allows(id, 'Storage Blob Data Contributor', host);
      return [host, new BlobAccount('backups', entra, hasRole)] as const;
    }),
  );
  const answer = (request: Incoming) => accounts.get(request.host)?.answer(request) ?? { status: 404 };
  const server = await startLoopback({ name: 'blobs', log, faults: new Faults(), tls, answer });
  return { server, accounts };
}
