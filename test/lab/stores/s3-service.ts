/**
 * An emulated S3-compatible service with one bucket and one key.
 *
 * Models the Amazon S3 API Reference (PutObject with If-None-Match, GetObject, HeadObject, ListObjectsV2, DeleteObject,
 * "Error responses") with the bucket in the path, and verifies the signature from the bytes of the request
 * ("Authenticating Requests: AWS Signature Version 4"): the date and all headers that begin with x-amz- are signed, the
 * digest is that of the body, and the clock differs by at most 15 minutes.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Incoming, Reply } from '../azure/loopback.ts';
import { type Kept, pageOf } from './kept.ts';

export interface S3Key {
  readonly id: string;
  readonly secret: string;
  readonly region: string;
}

/** The service; tests may change its fields. */
export class S3Service {
  readonly objects = new Map<string, Kept>();
  /** The names of objects that exist, but are not shown yet. */
  readonly hidden = new Set<string>();
  /** False if the bucket is missing. */
  exists = true;
  /** The actions that the key may not use. */
  denied: readonly ('PUT' | 'GET' | 'HEAD' | 'DELETE' | 'LIST')[] = [];
  /** True if the service replaces an object although the request has If-None-Match, as some old ones do. */
  ignoresConditions = false;
  pageSize = 1_000;
  /** The service's clock in epoch milliseconds. */
  now = () => Date.now();
  /** Returns the port of the server, which is part of the signed host. */
  port = () => 443;
  readonly #bucket: string;
  readonly #key: S3Key;

  constructor(bucket: string, key: S3Key) {
    this.#bucket = bucket;
    this.#key = key;
  }

  answer(request: Incoming): Reply {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      return refusal;
    }
    const [, bucket = '', ...parts] = request.url.pathname.split('/');
    if (!this.exists || bucket !== this.#bucket) {
      return failed(404, 'NoSuchBucket');
    }
    const name = decodeURIComponent(parts.join('/'));
    const action = name === '' && request.method === 'GET' ? 'LIST' : request.method;
    if (this.denied.some((each) => each === action)) {
      return failed(403, 'AccessDenied');
    }
    switch (action) {
      case 'LIST':
        return this.#list(request.url.searchParams);
      case 'PUT':
        return this.#put(name, request);
      case 'DELETE':
        this.objects.delete(name);
        return { status: 204 };
      case 'GET':
      case 'HEAD':
        return this.#get(name);
      default:
        return failed(405, 'MethodNotAllowed');
    }
  }

  #put(name: string, { headers, raw }: Incoming): Reply {
    if (this.objects.has(name) && headers['if-none-match'] === '*' && !this.ignoresConditions) {
      return failed(412, 'PreconditionFailed');
    }
    this.objects.set(name, { content: raw, sha256: headers['x-amz-meta-sha256'], modifiedAt: Date.now() });
    return { status: 200, headers: { etag: '"1"' } };
  }

  #get(name: string): Reply {
    const found = this.objects.get(name);
    if (found === undefined || this.hidden.has(name)) {
      return failed(404, 'NoSuchKey');
    }
    const metadata = found.sha256 === undefined ? {} : { 'x-amz-meta-sha256': found.sha256 };
    return {
      status: 200,
      headers: { 'content-type': 'binary/octet-stream', ...metadata },
      body: found.content,
    };
  }

  #list(query: URLSearchParams): Reply {
    if (query.get('list-type') !== '2') {
      return failed(400, 'InvalidArgument');
    }
    const { objects, next } = pageOf(this.objects, {
      prefix: query.get('prefix') ?? '',
      // A token is opaque, and may contain characters that a query must encode.
      start: (query.get('continuation-token') ?? '').replace(/^t\+=&amp;/, ''),
      size: this.pageSize,
    });
    const contents = objects.map(([name, { content, modifiedAt }]) => {
      const modified = new Date(modifiedAt).toISOString();
      return `<Contents><Key>${name}</Key><LastModified>${modified}</LastModified><ETag>&quot;1&quot;</ETag><Size>${content.length}</Size></Contents>`;
    });
    const token = next && `<NextContinuationToken>t+=&amp;amp;${next}</NextContinuationToken>`;
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${this.#bucket}</Name><IsTruncated>${next !== undefined}</IsTruncated>${contents.join('')}${token ?? ''}</ListBucketResult>`;
    return { status: 200, headers: { 'content-type': 'application/xml' }, body };
  }

  /** Returns the refusal of a request that is not signed as it must be; `undefined` for an authentic one. */
  #refusal(request: Incoming): Reply | undefined {
    const { headers, raw } = request;
    const [, id, day, region, names = '', signature] = form.exec(headers.authorization ?? '') ?? [];
    if (id === undefined || day === undefined) {
      return failed(403, 'AccessDenied');
    }
    if (id !== this.#key.id) {
      return failed(403, 'InvalidAccessKeyId');
    }
    if (region !== this.#key.region) {
      return failed(400, 'AuthorizationHeaderMalformed');
    }
    const time = headers['x-amz-date'] ?? '';
    const [, ...fields] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? [];
    const [year = '', month, date, hour, minute, second] = fields;
    const at = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`);
    if (!(Math.abs(at - this.now()) <= 15 * 60_000) || !time.startsWith(day)) {
      return failed(403, 'RequestTimeTooSkewed');
    }
    const signed = names.split(';');
    const mustSign = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
    if (mustSign.some((name) => !signed.includes(name)) || signed.join() !== [...signed].sort().join()) {
      return failed(403, 'SignatureDoesNotMatch');
    }
    if (headers['x-amz-content-sha256'] !== createHash('sha256').update(raw).digest('hex')) {
      return failed(400, 'XAmzContentSHA256Mismatch');
    }
    return signature === this.#signature(request, signed, time)
      ? undefined
      : failed(403, 'SignatureDoesNotMatch');
  }

  #signature(request: Incoming, signed: readonly string[], time: string): string {
    const { method, url, headers, host } = request;
    const lines = [method, url.pathname];
    const pairs = url.search
      .replace(/^\?/, '')
      .split('&')
      .filter((pair) => pair !== '');
    lines.push(
      pairs
        .map((pair) => (pair.includes('=') ? pair : `${pair}=`).replaceAll('+', '%20'))
        .sort()
        .join('&'),
    );
    for (const name of signed) {
      lines.push(`${name}:${name === 'host' ? `${host}:${this.port()}` : headers[name]}`);
    }
    lines.push('', signed.join(';'), headers['x-amz-content-sha256'] ?? '');
    const day = time.slice(0, 8);
    const dateKey = mac(`AWS4${this.#key.secret}`, day);
    const regionKey = mac(dateKey, this.#key.region);
    const signingKey = mac(mac(regionKey, 's3'), 'aws4_request');
    const digest = createHash('sha256').update(lines.join('\n')).digest('hex');
    const text = `AWS4-HMAC-SHA256\n${time}\n${day}/${this.#key.region}/s3/aws4_request\n${digest}`;
    return mac(signingKey, text).toString('hex');
  }
}

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;

function mac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function failed(status: number, code: string): Reply {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>The request failed with ${code}.</Message><RequestId>1</RequestId></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body };
}
