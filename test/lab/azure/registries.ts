/** Starts two servers: one for all emulated registries, and one for the blob storage behind them. */
import { BlobStorage, startBlobStorage } from './blob-storage.ts';
import type { Entra } from './entra.ts';
import { Signer } from './jwt.ts';
import { Faults, type Incoming, type LoggedRequest, startLoopback } from './loopback.ts';
import { answerRegistry, Registry } from './registry.ts';
import type { ServerCertificate } from './tls.ts';

export interface RegistriesOptions {
  readonly entra: Entra;
  readonly log: LoggedRequest[];
  readonly now: () => number;
  readonly tls: ServerCertificate;
  /** The certificate whose key signs the tokens; a client that trusts the lab's CA accepts the tokens. */
  readonly tokenCertificate: ServerCertificate;
  readonly loginServers: readonly string[];
}

export async function startRegistries(options: RegistriesOptions) {
  const { entra, log, now, tls, tokenCertificate, loginServers } = options;
  const [faults, storageFaults] = [new Faults(), new Faults()];
  const signer = new Signer(tokenCertificate);
  const storageOf = (registry: Registry) =>
    new BlobStorage({
      loginServer: registry.loginServer,
      faults: storageFaults,
      now,
      read: (digest) => registry.blob(digest),
    });
  const registries = loginServers.map((loginServer) => new Registry(loginServer, faults, storageOf));
  const answer = (request: Incoming) => {
    const registry = registries.find((each) => each.loginServer === request.host);
    return registry ? answerRegistry(request, { registry, entra, signer, now }) : { status: 404, body: '' };
  };
  const server = await startLoopback({ name: 'registry', log, faults, tls, answer });
  const accounts = registries.map(({ storage }) => storage);
  const storage = await startBlobStorage({ log, tls, faults: storageFaults, accounts });
  return { server, storage, registries };
}
