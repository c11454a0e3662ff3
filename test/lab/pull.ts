/**
 * Pulls an image as containerd does: exchanges the credential for an access token, then gets the index by tag, and
 * manifest, config and layers by digest. Follows redirects without sending the token, as in containerd's
 * core/remotes/docker.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { HttpsProxyAgent } from 'https-proxy-agent';

export interface PullOptions {
  readonly credential: { readonly username: string; readonly password: string };
  readonly proxyUrl: string;
  readonly caFile: string;
}

/**
 * Pulls an image; resolves to the digest of its manifest for this machine's architecture, and to the total size of
 * manifest, config and layers in bytes. Rejects if a request fails or a digest differs.
 */
export async function pull(
  image: string,
  options: PullOptions,
): Promise<{ readonly digest: string; readonly bytes: number }> {
  const [, server = '', name = '', tag = ''] = /^([^/]+)\/(.+):([^:/]+)$/.exec(image) ?? [];
  const authorization = await authorize(server, name, options);
  const at = (path: string) => get(`https://${server}/v2/${name}/${path}`, options, { authorization });
  const index = JSON.parse((await at(`manifests/${tag}`)).toString('utf8'));
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const { digest }: Descriptor = index.manifests.find(
    ({ platform }: Descriptor) => platform?.architecture === architecture,
  );
  const manifest = verified(digest, await at(`manifests/${digest}`));
  const { config, layers }: { config: Descriptor; layers: readonly Descriptor[] } = JSON.parse(
    manifest.toString('utf8'),
  );
  let bytes = manifest.length;
  for (const part of [config, ...layers]) {
    bytes += verified(part.digest, await at(`blobs/${part.digest}`)).length;
  }
  return { digest, bytes };
}

interface Descriptor {
  readonly digest: string;
  readonly platform?: { readonly architecture: string };
}

async function authorize(server: string, name: string, options: PullOptions): Promise<string> {
  const { username, password } = options.credential;
  const query = new URLSearchParams({ service: server, scope: `repository:${name}:pull` });
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  const headers = { authorization: `Basic ${basic}` };
  const answer = await get(`https://${server}/oauth2/token?${query}`, options, headers);
  return `Bearer ${JSON.parse(answer.toString('utf8')).access_token}`;
}

async function get(
  url: string,
  options: PullOptions,
  headers: Readonly<Record<string, string>>,
): Promise<Buffer> {
  const { status, location, body } = await exchange(url, options, headers);
  if (status === 307 && location) {
    return get(new URL(location, url).href, options, {});
  }
  if (status !== 200) {
    throw new Error(`${new URL(url).host} answers ${status}: ${body.toString('utf8')}`);
  }
  return body;
}

interface Answer {
  readonly status: number | undefined;
  readonly location: string | undefined;
  readonly body: Buffer;
}

function exchange(
  url: string,
  { proxyUrl, caFile }: PullOptions,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const agent = new HttpsProxyAgent(proxyUrl);
  const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, */*';
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, ca: readFileSync(caFile), headers: { accept, ...headers } });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const { statusCode: status, headers } = response;
      buffer(response).then((body) => resolve({ status, location: headers.location, body }), reject);
    });
    outgoing.end();
  });
}

function verified(digest: string, content: Buffer): Buffer {
  const found = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  if (found !== digest) {
    throw new Error(`${digest} was asked for, and ${found} came.`);
  }
  return content;
}
