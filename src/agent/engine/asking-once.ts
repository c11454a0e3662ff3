import { sha256 } from './digest.ts';
import { NodeError } from './errors.ts';
import type { Command, Host, HttpRequest, HttpResponse, TrustedCa } from './host.ts';
import { rememberingObjects } from './remembering.ts';
import { type Content, Secret } from './secret.ts';

/**
 * Returns the Host for one pass, which asks each question only once until something is changed through it: it runs a
 * command that only reads, and sends a GET request, only if it has no answer yet. An error is an answer too: after a
 * server has not answered within the time limit, later questions to it fail at once. So a silent server delays a pass
 * by only one time limit.
 *
 * Every change, including one by a job, makes it forget all answers, and so does a sleep, after which a caller expects
 * news. Always asks a question that contains a secret, because the answer may be a secret too. Files are always read.
 */
export function askingOnce(host: Host): AskingHost {
  const answers = new Map<string, Promise<unknown>>();
  /** The error of each server that did not answer in time, by its origin. */
  const silent = new Map<string, NodeError>();

  function once<Answer>(question: string | undefined, ask: () => Promise<Answer>): Promise<Answer> {
    if (question === undefined) {
      return ask();
    }
    const known = answers.get(question) as Promise<Answer> | undefined;
    const answer = known ?? ask();
    answers.set(question, answer);
    return answer;
  }

  async function get(request: HttpRequest): Promise<HttpResponse> {
    const origin = URL.canParse(request.url) ? new URL(request.url).origin : request.url;
    const known = silent.get(origin);
    if (known !== undefined) {
      throw known;
    }
    try {
      return await host.get(request);
    } catch (thrown) {
      if (thrown instanceof NodeError && thrown.reason === 'TimedOut') {
        silent.set(origin, thrown);
      }
      throw thrown;
    }
  }

  function forget(): void {
    answers.clear();
    silent.clear();
  }

  async function change<Result>(act: () => Promise<Result>): Promise<Result> {
    forget();
    try {
      return await act();
    } finally {
      forget();
    }
  }

  return {
    forget,
    readFile: (path) => host.readFile(path),
    stat: (path) => host.stat(path),
    list: (path) => host.list(path),
    digestFile: (path) => host.digestFile(path),
    query: (command) => once(commandQuestion(command), () => host.query(command)),
    readDatabase: (path, queries) => host.readDatabase(path, queries),
    readSnapshot: (path, queries) => host.readSnapshot(path, queries),
    get: (request) => once(requestQuestion(request), () => get(request)),
    peerCertificate: (url, patience) =>
      once(`peer ${url} ${patience}`, () => host.peerCertificate(url, patience)),
    job: (trace) => host.job(trace),
    now: () => host.now(),
    monotonic: () => host.monotonic(),
    writeFile: (path, content, options) => change(() => host.writeFile(path, content, options)),
    link: (path, target) => change(() => host.link(path, target)),
    rename: (from, to) => change(() => host.rename(from, to)),
    remove: (path) => change(() => host.remove(path)),
    run: (command, signal) => change(() => host.run(command, signal)),
    send: (request) => change(() => host.send(request)),
    copyFile: (from, to, signal) => change(() => host.copyFile(from, to, signal)),
    upload: (request, signal) => change(() => host.upload(request, signal)),
    fetchFile: (request, signal) => change(() => host.fetchFile(request, signal)),
    copyDatabase: (copy, signal) => change(() => host.copyDatabase(copy, signal)),
    compress: (work, signal) => change(() => host.compress(work, signal)),
    decompress: (work, signal) => change(() => host.decompress(work, signal)),
    download: (download, signal) => change(() => host.download(download, signal)),
    install: (download, digest) => change(() => host.install(download, digest)),
    perform: (job, work) => change(() => host.perform(job, work)),
    obtain: (what, fetch) => host.obtain(what, fetch),
    sleep: (milliseconds, signal) => change(() => host.sleep(milliseconds, signal)),
  };
}

/** A Host that asks each question once, and forgets the answers on request. */
export interface AskingHost extends Host {
  forget(): void;
}

/**
 * Returns a function that begins a pass on a machine: it returns the Host of `askingOnce` without answers. The same
 * machine always gets the same Host, so that what a module remembers about a Host outlives the pass.
 */
export function askingOnceEachPass(): (host: Host) => Host {
  const hosts = new WeakMap<Host, AskingHost>();
  return (host) => {
    const asking = hosts.get(host) ?? askingOnce(host);
    hosts.set(host, asking);
    asking.forget();
    return asking;
  };
}

/** Returns a text that is the same for the same command; `undefined` if the command contains a secret. */
function commandQuestion({ file, args, env = {}, timeout }: Command): string | undefined {
  return hasSecret(env) ? undefined : JSON.stringify(['query', file, args, env, timeout]);
}

/** Returns a text that is the same for the same request; `undefined` if a header is secret. */
function requestQuestion({ url, headers = {}, timeout, direct, trust }: HttpRequest): string | undefined {
  const who = typeof trust === 'object' ? trustDigest(trust) : trust;
  return hasSecret(headers) ? undefined : JSON.stringify(['get', url, headers, timeout, direct, who]);
}

/** Returns a digest of the certificates and the identity of requests, which are longer than the rest of a question. */
const trustDigest = rememberingObjects(({ ca, anyName, identity }: TrustedCa) =>
  sha256(JSON.stringify([ca, anyName, identity?.certificate])),
);

function hasSecret(values: Readonly<Record<string, Content>>): boolean {
  return Object.values(values).some((value) => value instanceof Secret);
}
