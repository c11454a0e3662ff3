import * as z from 'zod/mini';
import { quoted, refusalOf } from '../../clouds/answers.ts';
import type { CloudStorage } from '../../clouds/cloud-storage.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader, HttpResponse } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import type { Page, Protocol, Verdict } from '../protocol.ts';
import { usualRefusal } from '../store-errors.ts';

/**
 * Makes the protocol of Oracle Cloud's Object Storage for the bucket in an address. Source: oci-typescript-sdk,
 * lib/objectstorage (PutObject, GetObject, ListObjects, DeleteObject) and docs.oracle.com, "API Errors".
 */
export function objectProtocol(to: string, storage: CloudStorage, host: HostReader): Protocol {
  const [namespace = '', bucket = '', ...parts] = to.slice('oci://'.length).split('/');
  const place = `the bucket ${bucket} in the namespace ${namespace}`;
  const bucketUrl = async () => `${await storage.origin()}/n/${namespace}/b/${bucket}`;
  return {
    name: place,
    within: parts.map((part) => `${part}/`).join(''),
    largest: 50 * 1024 ** 3,
    urlOf: async (key) => `${await bucketUrl()}/o/${encodeURIComponent(key)}`,
    async listUrl(prefix, start) {
      const query = { prefix, fields: 'name,size,timeModified', limit: '1000', ...(start && { start }) };
      return `${await bucketUrl()}/o?${new URLSearchParams(query)}`;
    },
    creating: (sha256) => ({
      'if-none-match': '*',
      'opc-meta-sha256': sha256,
      'content-type': 'application/octet-stream',
    }),
    authorize: async ({ method, url, headers }) => ({
      ...headers,
      ...(await storage.authorize({ method, url })),
    }),
    forget: () => storage.forget(),
    digestOf: ({ headers }) => headers['opc-meta-sha256'],
    readPage,
    verdict,
    refused: (response, judged) => refused(response, judged, place, bucket, host.now()),
  };
}

/**
 * Returns what an answer means. The service answers 404 BucketNotFound too if this VM lacks a right, so a missing
 * bucket looks like a missing right. A HEAD answer has no body, and is only asked for an object that
 * exists.
 */
function verdict(response: HttpResponse): Verdict {
  const { code } = refusalOf(response);
  if (response.status === 200 || response.status === 204) {
    return 'done';
  }
  if (response.status === 412 && code === 'IfNoneMatchFailed') {
    return 'exists';
  }
  if (response.status === 404) {
    return code === 'ObjectNotFound' ? 'missing' : code === '' ? 'failed' : 'hidden';
  }
  return 'failed';
}

const list = z.object({
  objects: z.array(
    z.object({ name: z.string(), size: z.nullish(z.number()), timeModified: z.nullish(z.string()) }),
  ),
  nextStartWith: z.nullish(z.string()),
});

function readPage(body: string): Page | undefined {
  const found = parseJson(list, body);
  return (
    found && {
      objects: found.objects.map(({ name, size, timeModified }) => ({
        name,
        bytes: size ?? Number.NaN,
        modifiedAt: Date.parse(timeModified ?? ''),
      })),
      next: found.nextStartWith ?? undefined,
    }
  );
}

function refused(
  response: HttpResponse,
  judged: Verdict,
  place: string,
  bucket: string,
  now: number,
): NodeError {
  const { code, message } = refusalOf(response);
  const says = quoted(message || code);
  if (response.status === 401) {
    return new NodeError(
      'InstancePrincipalRefused',
      `Object Storage does not accept the signature of this instance.${says} Check the clock of this VM (timedatectl). It is tried again with a new token.`,
    );
  }
  if (judged === 'hidden') {
    return new NodeError(
      'StoreNotFound',
      `There is no ${place.slice('the '.length)}, or this VM may not use it; Oracle Cloud answers the same for both.${says} ` +
        `Create the bucket, or correct backup.to; or let the dynamic group of this VM use it: "Allow dynamic-group GROUP to manage objects in compartment COMPARTMENT where target.bucket.name = '${bucket}'". That can take some minutes to work.`,
    );
  }
  return usualRefusal(response, judged, { store: place, place, permit: '', says }, now);
}
