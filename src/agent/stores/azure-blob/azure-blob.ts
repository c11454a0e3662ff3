import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import type { StoreDriver } from '../driver.ts';
import { objectName } from '../object-name.ts';
import { restStore } from '../rest-store.ts';
import { blobProtocol } from './blob-protocol.ts';

const account = '[a-z0-9]{3,24}';
const domain = 'blob\\.core\\.(?:windows\\.net|usgovcloudapi\\.net|chinacloudapi\\.cn)';
const container = '[a-z0-9](?:-?[a-z0-9]){2,62}';

/** A container of Azure Blob Storage, which the VM's managed identity may use. */
export const azureBlob: StoreDriver = {
  summary: 'a container of Azure Blob Storage',
  form: `https://${account}\\.${domain}/${container}(?:/${objectName})?`,
  example: 'https://ACCOUNT.blob.core.windows.net/CONTAINER',
  create({ host, cloud, to }) {
    const { storage } = cloud;
    if (storage?.kind !== 'blob') {
      throw new NodeError(
        'StoreUnsuitable',
        `backup.to names Azure Blob Storage, to which only a VM in Azure has access, but this node uses the cloud ${cloud.name}. Choose another store in backup.to, such as an S3-compatible one.`,
        forPerson,
      );
    }
    return restStore(host, blobProtocol(new URL(to), storage, host));
  },
};
