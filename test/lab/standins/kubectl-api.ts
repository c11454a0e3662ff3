/** How kubectl reaches the API: a kubeconfig, requests with its client certificate, and client-go's words for refusals. */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Answer, exchange } from './k3s-http.ts';

export interface Config {
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export function readKubeconfig(path: string): Config {
  if (!existsSync(path)) throw new Error(`error: stat ${path}: no such file or directory`);
  const found = Object(parse(readFileSync(path, 'utf8')));
  const cluster = Object(found.clusters?.[0]?.cluster);
  const user = Object(found.users?.[0]?.user);
  const text = (data: unknown) => Buffer.from(String(data ?? ''), 'base64').toString();
  return {
    server: String(cluster.server ?? 'http://localhost:8080'),
    ca: text(cluster['certificate-authority-data']),
    certificate: text(user['client-certificate-data']),
    key: text(user['client-key-data']),
  };
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

/** The answer where it is a good one; else the refusal, thrown. */
export async function ask(config: Config, path: string, method = 'GET', body?: object): Promise<Answer> {
  const answer = await call(config, path, method, body);
  if (answer.status >= 300) throw refusal(answer);
  return answer;
}

export function reason(answer: Answer): string {
  return String(Object(JSON.parse(answer.body)).reason);
}

export function refusal(answer: Answer): Error {
  const { reason, message } = JSON.parse(answer.body);
  if (reason === 'Unauthorized')
    return new Error('error: You must be logged in to the server (Unauthorized)');
  if (reason === 'NoResourceMatch')
    return new Error(`error: the server doesn't have a resource type "${message}"`);
  if (reason === 'Invalid') return new Error(`The ${message}`);
  return new Error(`Error from server (${reason}): ${message}`);
}

export function notModelled(what: string): string {
  return `error: the kubectl stand-in does not model ${what}`;
}
