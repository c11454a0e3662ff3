/**
 * Sends kubectl's requests to the API with the client certificate of the kubeconfig; errors have client-go's wording.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Answer, exchange, timeoutExceeded } from './k3s-http.ts';

export interface Config {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** The timeout of each request in milliseconds (--request-timeout). */
  readonly timeout: number;
}

export function readKubeconfig(path: string, requestTimeout = '10s'): Config {
  if (!existsSync(path)) {
    throw new Error(`error: stat ${path}: no such file or directory`);
  }
  const found = Object(parse(readFileSync(path, 'utf8')));
  const cluster = Object(found.clusters?.[0]?.cluster);
  const user = Object(found.users?.[0]?.user);
  const text = (data: unknown) => Buffer.from(String(data ?? ''), 'base64').toString();
  return {
    server: String(cluster.server ?? 'http://localhost:8080'),
    ca: text(cluster['certificate-authority-data']),
    certificate: text(user['client-certificate-data']),
    key: text(user['client-key-data']),
    timeout: milliseconds(requestTimeout),
  };
}

function milliseconds(duration: string): number {
  const [, amount, unit] = /^(\d+)(ms|s)$/.exec(duration) ?? [];
  if (amount === undefined) {
    throw new Error(notModelled(`--request-timeout=${duration}`));
  }
  return Number(amount) * (unit === 's' ? 1_000 : 1);
}

/**
 * The number of discovery requests that kubectl sends to a silent server before it gives up (seen on a real K3s 1.36).
 */
const discoveries = 5;

/**
 * Calls the API, and repeats the call after each timeout as kubectl's discovery does. Rejects with kubectl's error
 * after five timeouts (50 s by default), and at once for any other failure of the connection.
 */
export async function callKnown(config: Config, path: string): Promise<Answer> {
  for (let attempt = 1; attempt < discoveries; attempt += 1) {
    try {
      return await call(config, path);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes(timeoutExceeded))) {
        throw error;
      }
    }
  }
  return call(config, path);
}

export async function call(config: Config, path: string, method = 'GET', body?: object): Promise<Answer> {
  try {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return await exchange({ ...config, url: `${config.server}${path}`, method, ...sent });
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    if (words.includes('connection refused')) {
      const { host } = new URL(config.server);
      throw new Error(
        `The connection to the server ${host} was refused - did you specify the right host or port?`,
      );
    }
    throw new Error(`Unable to connect to the server: ${words.replace(/^\w+ "[^"]*": /, '')}`);
  }
}

/** Calls the API; resolves to the answer, or rejects with kubectl's error if the API refuses the request. */
export async function ask(config: Config, path: string, method = 'GET', body?: object): Promise<Answer> {
  const answer = await call(config, path, method, body);
  if (answer.status >= 300) {
    throw refusal(answer);
  }
  return answer;
}

export function reason(answer: Answer): string {
  return String(Object(JSON.parse(answer.body)).reason);
}

export function refusal(answer: Answer): Error {
  const { reason, message } = JSON.parse(answer.body);
  if (reason === 'Unauthorized') {
    return new Error('error: You must be logged in to the server (Unauthorized)');
  }
  if (reason === 'NoResourceMatch') {
    return new Error(`error: the server doesn't have a resource type "${message}"`);
  }
  if (reason === 'Invalid') {
    return new Error(`The ${message}`);
  }
  return new Error(`Error from server (${reason}): ${message}`);
}

export function notModelled(what: string): string {
  return `error: the kubectl stand-in does not model ${what}`;
}
