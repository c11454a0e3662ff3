import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobStorage } from '../../src/agent/clouds/azure/storage.ts';
import type { Cloud } from '../../src/agent/clouds/cloud.ts';
import { oracleCloud } from '../../src/agent/clouds/oracle/oracle.ts';
import { oracleSettings } from '../../src/agent/clouds/oracle/settings.ts';
import type { Host } from '../../src/agent/engine/host.ts';
import { Secret } from '../../src/agent/engine/secret.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { objectStore } from '../../src/agent/stores/index.ts';
import type { ObjectStore } from '../../src/agent/stores/store.ts';
import { startAzure } from '../lab/azure/index.ts';
import { Faults, type LoggedRequest, startLoopback } from '../lab/azure/loopback.ts';
import { startOracle } from '../lab/oracle/index.ts';
import { BlobAccount } from '../lab/stores/blob-container.ts';
import { OracleBucket, useObjects } from '../lab/stores/oracle-bucket.ts';
import { S3Service } from '../lab/stores/s3-service.ts';
import type { StoreStage } from './store.ts';

/** A stage with an emulated service, which tests may change or break. */
export interface ServiceStage<Service> extends StoreStage {
  readonly service: Service;
  readonly faults: Faults;
  readonly log: readonly LoggedRequest[];
  /** Makes the store of another host. */
  storeOn(host: Host): ObjectStore;
}

/** Starts an emulated storage account, and a store in a folder of its container. */
export async function blobStage(): Promise<ServiceStage<BlobAccount>> {
  const azure = await startAzure({ nodes: { server: {} } });
  const service = new BlobAccount('backups', azure.entra);
  service.pageSize = 3;
  const hostName = 'slipwaylab.blob.core.windows.net';
  const [identity] = azure.node('server').vm.identities;
  const credential = {
    // The SDK's credential keeps its tokens in static variables, so that a process can use it with one Azure only.
    getToken: async (scope: string | string[]) => {
      const audience = String(scope).replace(/\/\.default$/, '');
      if (identity === undefined || !azure.entra.knows(audience)) {
        throw new Error(`Entra ID does not know ${audience}.`);
      }
      return { token: azure.entra.issue(identity, audience).token, expiresOnTimestamp: 0 };
    },
  };
  const storage = blobStorage({ credential, environment: async () => 'public', consented: [] });
  return serviceStage({
    service,
    to: `https://${hostName}/backups/team/one`,
    network: { proxy: azure.proxyUrl, caFile: azure.caFile },
    cloud: () => ({ name: 'azure', secret: noSecret, storage }),
    tls: azure.issue([hostName]),
    started: (port) => azure.route(`${hostName}:443`, port),
    stop: () => azure.stop(),
    protect: async () => {
      service.rights = ['read', 'add'];
    },
  });
}

const key = { id: 'AKIDLAB', secret: 'canary/of+the/key', region: 'eu-lab-1' };

/** Starts an emulated S3-compatible service, and a store in its bucket. */
export async function s3Stage(): Promise<ServiceStage<S3Service>> {
  const service = new S3Service('backups', key);
  service.pageSize = 3;
  let port = 0;
  return serviceStage({
    service,
    to: 's3://backups/team',
    settings: () => ({ s3: { endpoint: `http://127.0.0.1:${port}`, region: key.region } }),
    network: {},
    cloud: () => ({ name: 'static', secret: async () => new Secret(`${key.id}:${key.secret}`) }),
    started: (given) => {
      port = given;
      service.port = () => given;
    },
    stop: async () => {},
    protect: async () => {
      service.denied = ['DELETE'];
    },
  });
}

/** Starts an emulated Oracle Cloud with a bucket, and a store in it. */
export async function oracleStage(): Promise<ServiceStage<OracleBucket>> {
  const oracle = await startOracle({ nodes: { server: {} } });
  for (const action of ['read', 'create', 'delete'] as const) {
    oracle.permit('server', useObjects(action, 'Backups'));
  }
  const service = new OracleBucket('labns', 'Backups', (request) => oracle.federation.caller(request));
  service.pageSize = 3;
  const hostName = 'objectstorage.eu-frankfurt-1.oraclecloud.com';
  const machine = { hostname: 'unused', addresses: () => [], credentials: '/run/none' };
  const settings = { ...oracleSettings.defaults, imdsEndpoint: oracle.node('server').url };
  let made: Cloud[] = [];
  return serviceStage({
    service,
    to: 'oci://labns/Backups/team',
    network: { proxy: oracle.proxyUrl, caFile: oracle.caFile },
    cloud: (host) => {
      const cloud = oracleCloud({ host, machine, settings });
      made = [...made, cloud];
      return cloud;
    },
    tls: oracle.issue([hostName]),
    started: (port) => oracle.route(`${hostName}:443`, port),
    stop: () => oracle.stop(),
    protect: async () => {
      oracle.permit('server', useObjects('delete', 'Backups'), false);
      // A token has the rights of its time; the lab does not wait for the next one.
      for (const { storage } of made) {
        storage?.forget();
      }
    },
  });
}

interface Setup<Service> {
  readonly service: Service;
  readonly to: string;
  readonly settings?: () => Readonly<Record<string, unknown>>;
  readonly network: { readonly proxy?: string; readonly caFile?: string };
  readonly cloud: (host: Host) => Pick<Cloud, 'name' | 'secret' | 'storage'>;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly started: (port: number) => void;
  readonly stop: () => Promise<void>;
  readonly protect: () => Promise<void>;
}

async function serviceStage<Service extends { exists: boolean } & Pick<BlobAccount, 'answer'>>(
  setup: Setup<Service>,
): Promise<ServiceStage<Service>> {
  const { service, to, network, cloud, tls, settings = () => ({}) } = setup;
  const folder = await mkdtemp(join(tmpdir(), 'slipway-store-'));
  const faults = new Faults();
  const log: LoggedRequest[] = [];
  const answer = (request: Parameters<Service['answer']>[0]) => service.answer(request);
  const server = await startLoopback({ name: 'store', log, faults, answer, ...(tls && { tls }) });
  setup.started(server.port);
  const storeOn = (host: Host) => objectStore({ to, ...settings() }, { host, cloud: cloud(host) });
  const host = nodeHost(network);
  return {
    service,
    faults,
    log,
    storeOn,
    store: storeOn(host),
    other: storeOn(nodeHost(network)),
    host,
    folder,
    lose: async () => {
      service.exists = false;
    },
    protect: setup.protect,
    dispose: async () => {
      await server.stop();
      await setup.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function noSecret(): Promise<Secret> {
  return Promise.reject(new Error('This store needs no secret.'));
}
