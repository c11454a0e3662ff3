import type { Content, Secret } from './secret.ts';

/** The owner of a file, directory or link. */
export interface Owned {
  /** `uid:gid` if it does not belong to the user and the group of this process, the wanted owner of what it writes. */
  readonly foreignOwner?: string;
  /** The number of its user, if that is neither root nor the user of this process. */
  readonly foreignUser?: number;
  /** The number of its group, if that is neither root's nor the group of this process. */
  readonly foreignGroup?: number;
}

/** A text file as found. `modifiedAt` is epoch milliseconds. */
export interface FoundFile extends Owned {
  readonly content: string;
  readonly mode: number;
  readonly modifiedAt: number;
}

/** The entry at a path, links not followed. `mode` is the permission bits, `target` that of a link. */
export interface FileStat extends Owned {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly mode: number;
  readonly size: number;
  readonly modifiedAt: number;
  readonly target?: string;
}

/** A program and its arguments, never a shell string. Arguments hold no secret; `env` is added to a small, clean one. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, Content>>;
  /** Milliseconds until the command is stopped; 30 000 by default. */
  readonly timeout?: number;
}

/** The end of a command. A program that is not installed ends with 127, as in a shell. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, Content>>;
  /** Milliseconds for the whole exchange; 10 000 by default. */
  readonly timeout?: number;
  /** Bypasses any proxy: for services on this host or on its own network. */
  readonly direct?: boolean;
  /** The trusted certificates: the system's and the settings' CAs, these PEM certificates alone, or any. */
  readonly trust?: 'system' | 'anybody' | TrustedCa;
}

/** These PEM certificates alone; with `anyName`, in a certificate for any name. */
export interface TrustedCa {
  readonly ca: string;
  readonly anyName?: boolean;
}

export interface HttpSend extends HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly body?: Content;
}

/** Header names are lower-case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A release file, verified by the line `checksum.name` of the release's own sha256 file before it is in place. */
export interface Download {
  readonly url: string;
  readonly checksum: { readonly url: string; readonly name: string };
  readonly path: string;
  readonly mode: number;
  /** The one member to install if `url` is a .tar.gz; the digest is the archive's. */
  readonly member?: string;
}

/** Work that lasts longer than a pass. */
export interface Job {
  /** The path of the file that exists while the job runs. Jobs with the same trace never run at the same time. */
  readonly trace: string;
  /** The work as an imperative, such as `download it`; holds no secret. */
  readonly what: string;
  /** Distinguishes jobs with the same trace, such as the downloads of two versions. */
  readonly subject: string;
}

/** A job at which a living process works. `since` is a time as in RFC 3339. */
export interface RunningJob extends Pick<Job, 'what' | 'subject'> {
  readonly since: string;
}

/**
 * The machine, for callers that only read. Missing things are `undefined` or empty; every other error is a NodeError
 * (`PermissionDenied`, `FileSystemError`, `CommandTimedOut`, `Unreachable`, `TimedOut`, `TlsUntrusted`).
 */
export interface HostReader {
  readFile(path: string): Promise<FoundFile | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** Returns the names in a directory, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** Runs a command that only reads; the caller judges its exit code. */
  query(command: Command): Promise<CommandResult>;
  get(request: HttpRequest): Promise<HttpResponse>;
  /** Returns the running job with this trace; `undefined` if none runs, or if its process has died. */
  job(trace: string): Promise<RunningJob | undefined>;
  /** Epoch milliseconds. */
  now(): number;
  /** Returns milliseconds since some moment, by a clock that is never set (clock_gettime(2), CLOCK_MONOTONIC). */
  monotonic(): number;
}

/** The only access to the machine. Every mutation is atomic: a crash leaves no half-written file. */
export interface Host extends HostReader {
  /** Replaces the file atomically and durably by one of this process, and makes missing directories. */
  writeFile(path: string, content: Content, options: { readonly mode: number }): Promise<void>;
  /** Makes `path` a symbolic link to `target`, replacing anything but a directory. */
  link(path: string, target: string): Promise<void>;
  /** Moves a file or directory within one file system; a file at `to` is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, a link, or a directory with its contents; a missing path is fine. */
  remove(path: string): Promise<void>;
  /** Runs a command that changes something. An exit code other than 0 is `CommandFailed` with the end of stderr. */
  run(command: Command): Promise<CommandResult>;
  send(request: HttpSend): Promise<HttpResponse>;
  /**
   * Fetches and verifies a release file, and returns its digest; `install` puts it in place. Nothing is fetched if the file
   * is already in place. The signal ends the transfer, and the next call resumes it. `DownloadFailed`,
   * `ChecksumMismatch` or `ChecksumMissing`.
   */
  download(download: Download, signal?: AbortSignal): Promise<string>;
  /** Puts a downloaded file in place. `DownloadFailed` if its digest differs, or if the archive is damaged. */
  install(download: Download, digest: string): Promise<void>;
  /**
   * Begins a job, and throws `Underway` while it runs. The first call after its end returns its result, or throws its
   * error. A job with the same trace and another subject is ended first.
   */
  perform(job: Job, work: (signal: AbortSignal) => Promise<string>): Promise<string>;
  /** Gets a secret from outside: a dry run names it instead, and gets a placeholder that prints like any other. */
  obtain(what: string, fetch: () => Promise<Secret>): Promise<Secret>;
  /** Resolves after `milliseconds`, or as soon as the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
