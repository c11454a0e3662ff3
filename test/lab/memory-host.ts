import { basename, dirname, join } from 'node:path';
import { commandLine } from '../../src/agent/engine/command-line.ts';
import type { Compressed, Compression, FileDigest } from '../../src/agent/engine/compression.ts';
import type { DatabaseCopy, DatabaseFacts, DatabaseQueries } from '../../src/agent/engine/database.ts';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type {
  Command,
  CommandResult,
  Download,
  FileStat,
  FoundFile,
  Host,
  HttpRequest,
  HttpResponse,
  HttpSend,
  Job,
  RunningJob,
} from '../../src/agent/engine/host.ts';
import { type HttpFetch, type HttpUpload, TooManyBytes } from '../../src/agent/engine/large-files.ts';
import { downloadOf, type RecordedAction, runOf, sendOf } from '../../src/agent/engine/recorded-action.ts';
import { type Content, reveal, type Secret } from '../../src/agent/engine/secret.ts';
import type { SnapshotQueries } from '../../src/agent/engine/snapshot.ts';
import { fileError, systemError } from '../../src/agent/host/files/file-errors.ts';
import { commandFailed } from '../../src/agent/host/process/command-failed.ts';
import { actionLine } from './action-line.ts';
import { memoryCompressed, memoryDecompressed } from './memory-compression.ts';
import { memoryDatabase } from './memory-databases.ts';
import { MemoryFiles } from './memory-files.ts';
import { MemoryJobs } from './memory-jobs.ts';
import { type ArgsMatcher, argsFit, fits, type Matcher, Scripts } from './memory-scripts.ts';
import { memorySnapshot } from './memory-snapshots.ts';

/** The error that every call of the host throws between a kill by `crashBefore` and `restart`. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** An initial file: its content, its content and mode, or a link's target. */
export type StartFile =
  | string
  | { readonly content: string; readonly mode?: number }
  | { readonly link: string };

export interface MemoryHostOptions {
  readonly files?: Readonly<Record<string, StartFile>>;
  readonly directories?: readonly string[];
  /** The initial time, in epoch milliseconds; 2026-01-01T00:00:00Z by default. */
  readonly now?: number;
}

export interface CommandMatcher {
  /** The path or the bare name of the program. */
  readonly file: string;
  readonly args?: ArgsMatcher;
}

export interface RequestMatcher {
  readonly method?: HttpSend['method'];
  readonly url: Matcher;
}

type Answers<Question, Answer> =
  | Answer
  | ((question: Question, world: MemoryHost) => Answer | Promise<Answer>);

/** The result of a command. A string is the command's standard output; the exit code is 0 by default. */
export type CommandAnswer = Answers<Command, string | Partial<CommandResult>>;
/** The response to a request. A string is the response's body; the status is 200 by default. An Error is thrown. */
export type ResponseAnswer = Answers<HttpSend, string | Partial<HttpResponse> | Error>;
/** The certificate of a TLS server as PEM, or the Error that is thrown. */
export type PeerAnswer = Answers<string, string | Error>;
/** The answer to a download: the text that is installed, or the Error that is thrown. */
export type DownloadAnswer = Answers<Download, string | Error>;

/** Returns a machine in memory, for unit and scenario tests. */
export function memoryHost(options: MemoryHostOptions = {}): MemoryHost {
  return new MemoryHost(options);
}

/**
 * A Host whose files are a map, whose clock is simulated, and whose commands, requests and downloads are scripted.
 *
 * A call without a script throws a plain Error that names the call; `unused()` names the scripts that were not used.
 * `crashBefore(n)` kills the process before its n-th mutation: that mutation and every later call throw `Crash` until
 * `restart()`. Files, scripts and the clock stay as they are.
 */
export class MemoryHost implements Host {
  /**
   * The disk, for setup, assertions and models of commands. Access through `files` is not recorded in the journal, does
   * not count as a mutation, and ignores `failWrite`.
   */
  readonly files: MemoryFiles;
  readonly journal: RecordedAction[] = [];
  /** The reads so far: the command lines of `query` and the URLs of `get`. */
  readonly looks: string[] = [];
  /** The jobs of the process; a test can set their duration. */
  readonly jobs = new MemoryJobs(this);
  /** The free bytes of the disk, which only `copyDatabase` compares with its needs. */
  free = 2 ** 40;
  readonly #commands = new Scripts<Command, CommandResult>();
  readonly #requests = new Scripts<HttpSend, HttpResponse>();
  readonly #peers = new Scripts<string, string>();
  readonly #downloads = new Scripts<Download, string>();
  readonly #faults = new Map<string, string>();
  #events: { readonly at: number; readonly happen: (world: MemoryHost) => void }[] = [];
  #now: number;
  /** The sum of all changes that `setClock` made to the clock, in milliseconds. */
  #set = 0;
  #mutations = 0;
  #crashBefore = Number.POSITIVE_INFINITY;
  #crashed = false;

  constructor({ files = {}, directories = [], now = Date.UTC(2026, 0, 1) }: MemoryHostOptions) {
    this.#now = now;
    this.files = new MemoryFiles(() => this.#now);
    for (const path of directories) {
      this.files.makeDirectory(path);
    }
    for (const [path, start] of Object.entries(files)) {
      this.#begin(path, start);
    }
  }

  // --- setup

  /**
   * Answers every matching command; a later script takes precedence over an earlier one. The answer can be a function
   * that models a program.
   */
  on(matcher: CommandMatcher, answer: CommandAnswer = ''): this {
    return this.#script(matcher, answer, false);
  }

  /**
   * Answers the first matching command only. Scripts of `once` take precedence over scripts of `on`, and are used in
   * the order in which they were added.
   */
  once(matcher: CommandMatcher, answer: CommandAnswer = ''): this {
    return this.#script(matcher, answer, true);
  }

  onGet(url: Matcher, answer: ResponseAnswer): this {
    return this.onRequest({ method: 'GET', url }, answer);
  }

  onRequest({ method, url }: RequestMatcher, answer: ResponseAnswer, once = false): this {
    this.#requests.add(
      `${method ?? 'any method'} ${url}`,
      (request) => (method === undefined || method === request.method) && fits(url, request.url),
      async (request) => response(await this.#answered(answer, request)),
      once,
    );
    return this;
  }

  /** Answers every read of a TLS server's certificate at a matching URL: with the PEM, or with an Error to throw. */
  onPeer(url: Matcher, answer: PeerAnswer): this {
    this.#peers.add(
      `certificate of ${url}`,
      (asked) => fits(url, asked),
      async (asked) => thrownOr(await this.#answered(answer, asked)),
    );
    return this;
  }

  onDownload(url: Matcher, answer: DownloadAnswer, once = false): this {
    this.#downloads.add(
      `download ${url}`,
      (download) => fits(url, download.url),
      async (download) => thrownOr(await this.#answered(answer, download)),
      once,
    );
    return this;
  }

  /** Calls `happen`, which can change the world, when simulated time reaches `time` (epoch milliseconds). */
  at(time: number, happen: (world: MemoryHost) => void): this {
    this.#events = [...this.#events, { at: time, happen }].sort((a, b) => a.at - b.at);
    return this;
  }

  /**
   * Makes every mutation of this path, even a download, fail with an errno such as ENOSPC, until `heal` is called for
   * the path.
   */
  failWrite(path: string, code: string): this {
    this.#faults.set(path, code);
    return this;
  }

  heal(path: string): this {
    this.#faults.delete(path);
    return this;
  }

  crashBefore(mutation: number): this {
    this.#crashBefore = mutation;
    return this;
  }

  /** Starts a new process in the same world, without jobs, counted mutations or a scheduled kill. */
  restart(): this {
    this.#crashed = false;
    this.jobs.die();
    this.#crashBefore = Number.POSITIVE_INFINITY;
    this.#mutations = 0;
    return this;
  }

  advance(milliseconds: number): void {
    this.#advanceTo(this.#now + milliseconds);
  }

  /** Sets the clock, as time synchronisation does. No time passes: scheduled events keep their remaining time. */
  setClock(time: number): void {
    const by = time - this.#now;
    this.#now = time;
    this.#set += by;
    this.#events = this.#events.map(({ at, happen }) => ({ at: at + by, happen }));
  }

  // --- assertions

  /** The number of mutations since the process started. */
  get mutations(): number {
    return this.#mutations;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  /** Returns the journal, one line per action. */
  lines(): readonly string[] {
    return this.journal.map(actionLine);
  }

  /** Returns the names of the scripts that were not used. */
  unused(): readonly string[] {
    const all = [this.#commands, this.#requests, this.#peers, this.#downloads];
    return all.flatMap((scripts) => scripts.unused());
  }

  // --- the Host

  async readFile(path: string): Promise<FoundFile | undefined> {
    this.#alive();
    return this.files.read(path);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    this.#alive();
    return this.files.stat(path);
  }

  async list(path: string): Promise<readonly string[]> {
    this.#alive();
    return this.files.list(path);
  }

  async digestFile(path: string): Promise<FileDigest | undefined> {
    this.#alive();
    const text = this.files.text(path);
    return text === undefined ? undefined : { bytes: Buffer.byteLength(text), sha256: sha256(text) };
  }

  async query(command: Command): Promise<CommandResult> {
    this.#alive();
    this.looks.push(commandLine(command));
    return this.#commands.answer(command, commandLine(command));
  }

  async job(trace: string): Promise<RunningJob | undefined> {
    this.#alive();
    return this.jobs.running(trace);
  }

  async get(request: HttpRequest): Promise<HttpResponse> {
    this.#alive();
    this.looks.push(request.url);
    return this.#requests.answer({ ...request, method: 'GET' }, `GET ${request.url}`);
  }

  async peerCertificate(url: string, patience?: number): Promise<string> {
    this.#alive();
    const within = patience === undefined ? '' : ` within ${patience} ms`;
    this.looks.push(`certificate of ${url}${within}`);
    return this.#peers.answer(url, `certificate of ${url}`);
  }

  async readDatabase(path: string, queries: DatabaseQueries): Promise<DatabaseFacts | undefined> {
    this.#alive();
    const sql = this.files.text(path);
    return sql === undefined ? undefined : memoryDatabase(path, sql, queries);
  }

  async readSnapshot(path: string, queries: SnapshotQueries): Promise<DatabaseFacts | undefined> {
    this.#alive();
    const text = this.files.text(path);
    return text === undefined ? undefined : memorySnapshot(path, text, queries);
  }

  now(): number {
    this.#alive();
    return this.#now;
  }

  monotonic(): number {
    this.#alive();
    return this.#now - this.#set;
  }

  async writeFile(path: string, content: Content, { mode }: { readonly mode: number }): Promise<void> {
    const isShown = typeof content === 'string' && this.files.stat(path)?.kind === 'file';
    const found = isShown ? this.files.read(path) : undefined;
    this.#mutate(
      {
        kind: 'write',
        path,
        mode,
        content: `${content}`,
        ...(found && { before: { mode: found.mode, content: found.content } }),
      },
      path,
    );
    this.files.write(path, reveal(content), mode);
  }

  async link(path: string, target: string): Promise<void> {
    const before = this.files.stat(path)?.target;
    this.#mutate({ kind: 'link', path, target, ...(before !== undefined && { before }) }, path);
    this.files.link(path, target);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#mutate({ kind: 'rename', from, to }, from, to);
    this.files.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    this.#mutate({ kind: 'remove', path }, path);
    this.files.remove(path);
  }

  async run(command: Command, signal?: AbortSignal): Promise<CommandResult> {
    signal?.throwIfAborted();
    this.#mutate(runOf(command));
    const result = await this.#commands.answer(command, commandLine(command));
    if (result.exitCode !== 0) {
      throw commandFailed(command, result);
    }
    return result;
  }

  async send(request: HttpSend): Promise<HttpResponse> {
    this.#mutate(sendOf(request));
    return this.#requests.answer(request, `${request.method} ${request.url}`);
  }

  async copyFile(from: string, to: string, signal?: AbortSignal): Promise<'copied' | 'exists'> {
    signal?.throwIfAborted();
    this.#mutate({ kind: 'copyFile', from, to }, to);
    if (this.files.stat(to) !== undefined) {
      return 'exists';
    }
    const content = this.files.text(from);
    if (content === undefined) {
      throw fileError(systemError('ENOENT'), 'copy to', to);
    }
    this.files.makeDirectory(dirname(to), 0o700);
    this.files.write(to, content, 0o600);
    return 'copied';
  }

  async upload(request: HttpUpload, signal?: AbortSignal): Promise<HttpResponse> {
    signal?.throwIfAborted();
    const { file, bytes, url } = request;
    this.#mutate({ kind: 'upload', from: file, url });
    const body = this.files.text(file);
    if (body === undefined || Buffer.byteLength(body) !== bytes) {
      throw new NodeError('FileSystemError', `${file} is missing or has another size.`);
    }
    return this.#requests.answer({ ...request, method: 'PUT', body }, `PUT ${url}`);
  }

  async fetchFile(request: HttpFetch, signal?: AbortSignal): Promise<HttpResponse> {
    signal?.throwIfAborted();
    const { file, limit, url } = request;
    this.#mutate({ kind: 'fetch', url, path: file }, file);
    const answer = await this.#requests.answer({ ...request, method: 'GET' }, `GET ${url}`);
    if (answer.status !== 200) {
      return answer;
    }
    if (Buffer.byteLength(answer.body) > limit) {
      throw new TooManyBytes(url, limit);
    }
    this.files.write(file, answer.body, 0o600);
    return { ...answer, body: '' };
  }

  async copyDatabase(
    { from, to, queries, room }: DatabaseCopy,
    signal?: AbortSignal,
  ): Promise<DatabaseFacts> {
    signal?.throwIfAborted();
    this.#mutate({ kind: 'copy', from, to }, to);
    if (this.free < room) {
      throw new NodeError('DiskFull', `${from} was not copied to ${to}: ${room} bytes are not free.`);
    }
    const sql = this.files.text(from) ?? 'no such file';
    const facts = memoryDatabase(from, sql, queries);
    this.files.write(to, sql, 0o600);
    return facts;
  }

  async compress({ from, to }: Compression, signal?: AbortSignal): Promise<Compressed> {
    signal?.throwIfAborted();
    this.#mutate({ kind: 'compress', from, to }, to);
    return memoryCompressed(this.files, from, to);
  }

  async decompress({ from, to, limit }: Compression, signal?: AbortSignal): Promise<Compressed> {
    signal?.throwIfAborted();
    this.#mutate({ kind: 'decompress', from, to }, to);
    return memoryDecompressed(this.files, from, to, limit);
  }

  async download(download: Download): Promise<string> {
    this.#mutate(downloadOf(download), download.path);
    const content = await this.#downloads.answer(download, `download ${download.url}`);
    this.files.write(partOf(download), content, 0o600);
    return sha256(content);
  }

  async install(download: Download, digest: string): Promise<void> {
    this.#count('install', download.path);
    const part = partOf(download);
    const content = this.files.text(part);
    if (content === undefined || sha256(content) !== digest) {
      throw new NodeError('DownloadFailed', `${download.url} could not be downloaded: it has gone.`);
    }
    this.files.write(download.path, content, download.mode);
    this.files.remove(part);
  }

  async perform(job: Job, work: (signal: AbortSignal) => Promise<string>): Promise<string> {
    this.#alive();
    return this.jobs.perform(job, work);
  }

  /**
   * Writes the trace file of a job. The write counts as a mutation, but is not recorded in the journal, because the
   * real Host writes trace files itself.
   */
  noteJob(trace: string, text: string): void {
    this.#count('write', trace);
    this.files.write(trace, text);
  }

  async obtain(_what: string, fetch: () => Promise<Secret>): Promise<Secret> {
    this.#alive();
    return fetch();
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    this.#alive();
    this.#advanceTo(this.#now + milliseconds, signal);
    // Yield to the event loop. Otherwise, a test with an endless loop could not time out.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #begin(path: string, start: StartFile): void {
    if (typeof start === 'string') {
      this.files.write(path, start);
    } else if ('link' in start) {
      this.files.link(path, start.link);
    } else {
      this.files.write(path, start.content, start.mode);
    }
  }

  #script({ file, args }: CommandMatcher, answer: CommandAnswer, once: boolean): this {
    this.#commands.add(
      `${file} ${args === undefined ? '...' : args}`,
      (command) => [command.file, basename(command.file)].includes(file) && argsFit(args, command.args),
      async (command) => result(await this.#answered(answer, command)),
      once,
    );
    return this;
  }

  async #answered<Question, Answer>(answer: Answers<Question, Answer>, question: Question): Promise<Answer> {
    return isFunction(answer) ? answer(question, this) : answer;
  }

  #mutate(action: RecordedAction, ...paths: readonly string[]): void {
    this.#count(action.kind, ...paths);
    this.journal.push(action);
  }

  #count(what: string, ...paths: readonly string[]): void {
    this.#alive();
    if (this.#mutations + 1 >= this.#crashBefore) {
      this.#crashed = true;
    }
    this.#alive();
    this.#mutations += 1;
    for (const path of paths) {
      const code = this.#faults.get(path);
      if (code !== undefined) {
        throw fileError(systemError(code), what, path);
      }
    }
  }

  #alive(): void {
    if (this.#crashed) {
      throw new Crash(`killed before mutation ${this.#crashBefore}`);
    }
  }

  /**
   * Lets time pass until `time`, or until `signal` aborts, and runs the events of that period. If an event sets the
   * clock, the length of the period stays the same.
   */
  #advanceTo(time: number, signal?: AbortSignal): void {
    const set = this.#set;
    while (!signal?.aborted) {
      const end = time + this.#set - set;
      const [next, ...later] = this.#events;
      if (next === undefined || next.at > end) {
        this.#now = Math.max(this.#now, end);
        return;
      }
      this.#events = later;
      this.#now = Math.max(this.#now, next.at);
      next.happen(this);
    }
  }
}

/** Returns the path of the temporary file that holds a download until it is installed. */
function partOf({ path }: Download): string {
  return join(dirname(path), `.${basename(path)}.slipway-part`);
}

function isFunction<Question, Answer>(
  answer: Answers<Question, Answer>,
): answer is (question: Question, world: MemoryHost) => Answer | Promise<Answer> {
  return typeof answer === 'function';
}

function result(answer: string | Partial<CommandResult>): CommandResult {
  const said = typeof answer === 'string' ? { stdout: answer } : answer;
  return { exitCode: 0, stdout: '', stderr: '', ...said };
}

function response(answer: string | Partial<HttpResponse> | Error): HttpResponse {
  if (answer instanceof Error) {
    throw answer;
  }
  const said = typeof answer === 'string' ? { body: answer } : answer;
  return isWhole(said) ? said : { status: 200, headers: {}, body: '', ...said };
}

/** True if nothing is missing, so that a script that answers with one object twice lets it be read only once. */
function isWhole(said: Partial<HttpResponse>): said is HttpResponse {
  return said.status !== undefined && said.headers !== undefined && said.body !== undefined;
}

function thrownOr(answer: string | Error): string {
  if (answer instanceof Error) {
    throw answer;
  }
  return answer;
}

/** Returns the error that a request to `url` throws if the connection is refused. */
export function unreachable(url: string): NodeError {
  return new NodeError('Unreachable', `Cannot reach ${url}: ECONNREFUSED.`, {
    cause: systemError('ECONNREFUSED'),
  });
}
