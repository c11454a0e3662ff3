import { quoted } from '../../clouds/answers.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader, HttpResponse } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import type { Page, Protocol, Verdict } from '../protocol.ts';
import { usualRefusal } from '../store-errors.ts';
import { xmlElements, xmlText } from '../xml-text.ts';
import { type SigningKey, signedHeaders } from './signature-v4.ts';

export interface S3Options {
  /** The setting `backup.to`. */
  readonly to: string;
  /** The address of the service, without a slash at its end. */
  readonly endpoint: string;
  readonly host: HostReader;
  readonly key: { current(): Promise<SigningKey>; forget(): void };
}

/**
 * Makes the protocol of an S3-compatible bucket, with the name of the bucket in the path, as all such services accept.
 * Source: docs.aws.amazon.com, Amazon S3 API Reference (PutObject with If-None-Match, GetObject, ListObjectsV2,
 * DeleteObject, "Error responses").
 */
export function s3Protocol({ to, endpoint, host, key }: S3Options): Protocol {
  const [bucket = '', ...parts] = to.slice('s3://'.length).split('/');
  const place = `the bucket ${bucket} at ${new URL(endpoint).host}`;
  return {
    name: place,
    within: parts.map((part) => `${part}/`).join(''),
    largest: 5 * 1024 ** 3,
    mayIgnoreConditions: true,
    urlOf: async (name) => `${endpoint}/${bucket}/${name}`,
    async listUrl(prefix, token) {
      const query = { 'list-type': '2', prefix, ...(token && { 'continuation-token': token }) };
      return `${endpoint}/${bucket}?${new URLSearchParams(query)}`;
    },
    creating: (sha256) => ({
      'if-none-match': '*',
      'x-amz-meta-sha256': sha256,
      'content-type': 'application/octet-stream',
    }),
    authorize: async (request) => signedHeaders(request, await key.current(), host.now()),
    forget: () => key.forget(),
    digestOf: ({ headers }) => headers['x-amz-meta-sha256'],
    readPage,
    verdict,
    refused: (response, judged) => refused(response, judged, place, host.now()),
  };
}

function codeOf({ body }: HttpResponse): string {
  return xmlText(body, 'Code') ?? '';
}

function verdict(response: HttpResponse): Verdict {
  if (response.status === 200 || response.status === 204) {
    return 'done';
  }
  return verdicts[codeOf(response)] ?? 'failed';
}

const verdicts: Readonly<Record<string, Verdict>> = {
  PreconditionFailed: 'exists',
  NoSuchKey: 'missing',
  NoSuchBucket: 'nowhere',
  AccessDenied: 'forbidden',
};

function readPage(body: string): Page | undefined {
  if (!body.includes('<ListBucketResult')) {
    return undefined;
  }
  const objects = xmlElements(body, 'Contents').map((object) => ({
    name: xmlText(object, 'Key') ?? '',
    bytes: Number(xmlText(object, 'Size')),
    modifiedAt: Date.parse(xmlText(object, 'LastModified') ?? ''),
  }));
  const isLast = xmlText(body, 'IsTruncated') !== 'true';
  return { objects, next: isLast ? undefined : xmlText(body, 'NextContinuationToken') };
}

function refused(response: HttpResponse, judged: Verdict, place: string, now: number): NodeError {
  const code = codeOf(response);
  const says = quoted(xmlText(response.body, 'Message') || code);
  const repair = repairs[code];
  if (repair !== undefined) {
    const [reason, text] = repair;
    return new NodeError(reason, `The request to ${place} was refused.${says} ${text}`, forPerson);
  }
  const permit =
    'Give the key the rights s3:PutObject and s3:GetObject on the objects, and s3:ListBucket on the bucket; docs/usage/backup.md has a policy.';
  return usualRefusal(response, judged, { store: place, place, permit, says }, now);
}

/** The repairs of refusals by their codes ("Error responses", list of error codes). */
const repairs: Readonly<Record<string, readonly ['StoreForbidden' | 'StoreUnsuitable', string]>> = {
  InvalidAccessKeyId: ['StoreForbidden', 'Correct the secret that backup.s3.secretName names.'],
  SignatureDoesNotMatch: [
    'StoreForbidden',
    'Correct the secret that backup.s3.secretName names, and backup.s3.region.',
  ],
  RequestTimeTooSkewed: [
    'StoreForbidden',
    'The clock of this VM differs by more than 15 minutes from that of the store: timedatectl set-ntp true.',
  ],
  AuthorizationHeaderMalformed: ['StoreForbidden', 'Correct backup.s3.region.'],
  PermanentRedirect: [
    'StoreForbidden',
    'The bucket is in another region: correct backup.s3.region and backup.s3.endpoint.',
  ],
  TemporaryRedirect: [
    'StoreForbidden',
    'The bucket is in another region: correct backup.s3.region and backup.s3.endpoint.',
  ],
  NotImplemented: [
    'StoreUnsuitable',
    'The store does not support conditional writes (If-None-Match). Use another store, or a newer release of its software.',
  ],
};
