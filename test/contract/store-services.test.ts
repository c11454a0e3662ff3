import { describeStore } from './store.ts';
import { blobStage, oracleStage, s3Stage } from './store-worlds.ts';

describeStore('a container of Azure Blob Storage', blobStage);
describeStore('an S3-compatible bucket', s3Stage);
describeStore("a bucket of Oracle Cloud's Object Storage", oracleStage);
