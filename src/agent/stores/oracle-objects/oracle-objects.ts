import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import type { StoreDriver } from '../driver.ts';
import { objectName } from '../object-name.ts';
import { restStore } from '../rest-store.ts';
import { objectProtocol } from './object-protocol.ts';

const namespace = '[A-Za-z0-9][A-Za-z0-9_-]{0,99}';
const bucket = '[A-Za-z0-9_-][A-Za-z0-9._-]{0,255}';

/** A bucket of Oracle Cloud's Object Storage, which the VM's instance principal may use. */
export const oracleObjects: StoreDriver = {
  summary: "a bucket of Oracle Cloud's Object Storage",
  form: `oci://${namespace}/${bucket}(?:/${objectName})?`,
  example: 'oci://NAMESPACE/BUCKET',
  create({ host, cloud, to }) {
    const { storage } = cloud;
    if (storage?.kind !== 'objects') {
      throw new NodeError(
        'StoreUnsuitable',
        `backup.to names Oracle Cloud's Object Storage, to which only a VM in Oracle Cloud has access, but this node uses the cloud ${cloud.name}. Choose another store in backup.to, such as an S3-compatible one.`,
        forPerson,
      );
    }
    return restStore(host, objectProtocol(to, storage, host));
  },
};
