/**
 * How the API answers from objects that other servers change too.
 *
 * Models k8s.io/apiserver pkg/storage/etcd3 (GuaranteedUpdate retries a patch whose object has changed; a PUT gets 409)
 * and the consistent reads of its cache: without quorum, even a read fails with etcd's error.
 */
import type { Objects } from './k3s-objects.ts';
import { Conflict, isReplica } from './k3s-replica.ts';
import { type Reply, status } from './k3s-reply.ts';

const attempts = 5;

/** Answers from the newest objects, once all changes are stored; rejects with the error of the datastore. */
export async function consistently(objects: Objects, method: string, answer: () => Reply): Promise<Reply> {
  if (!isReplica(objects)) {
    return answer();
  }
  for (let attempt = 1; ; attempt += 1) {
    await objects.fresh();
    try {
      return await objects.stored(answer);
    } catch (error) {
      if (!(error instanceof Conflict)) {
        throw error;
      }
      if (method === 'PUT' || attempt === attempts) {
        const why = 'please apply your changes to the latest version and try again';
        return status(409, 'Conflict', `Operation cannot be fulfilled: the object has been modified; ${why}`);
      }
    }
  }
}
