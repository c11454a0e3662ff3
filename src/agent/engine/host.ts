import type { Content, Secret } from './secret.ts';

/** To whom a file, directory or link belongs. */
export interface Owned {
  /** `uid:gid` if not to the user and the group of this process, which are the wanted ones for what it writes. */
  readonly foreignOwner?: string;
  /** The number of its user, if that is neither root nor the user of this process. */
  readonly foreignUser?: number;
  /** The number of its group, if that is neither root's nor the group of this process. */
  readonly foreignGroup?: number;
}

/** A text file as it was found. `modifiedAt` is epoch milliseconds. */
export interface FoundFile extends Owned {
  readonly content: string;
  readonly mode: number;
  readonly modifiedAt: number;
}

/** What stands at a path, links not followed. `mode` is the permission bits, `target` where a link points. */
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
  /** Milliseconds until the command is stopped; 30 000 unless said. */
  readonly timeout?: number;
}

/** How a command ended. A program that is not installed ends with 127, as in a shell. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, Content>>;
  /** Milliseconds for the whole exchange; 10 000 unless said. */
  readonly timeout?: number;
  /** Goes past any proxy: for what is on this host or on its own network. */
  readonly direct?: boolean;
  /** Whom to trust: the system's and the settings' CAs, these PEM certificates alone, or anybody. */
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
  /** The one member to take where `url` is a .tar.gz; the digest is the archive's. */
  readonly member?: string;
}

/**
 * The machine, for those who may only look. Missing things are `undefined` or empty; everything else that goes
 * wrong is a NodeError (`PermissionDenied`, `FileSystemError`, `CommandTimedOut`, `Unreachable`, `TimedOut`,
 * `TlsUntrusted`).
 */
export interface HostReader {
  readFile(path: string): Promise<FoundFile | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** The names in a directory, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** Runs a command that only reads; its exit code is for the caller to judge. */
  query(command: Command): Promise<CommandResult>;
  get(request: HttpRequest): Promise<HttpResponse>;
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds since some moment, by a clock that nothing sets (clock_gettime(2), CLOCK_MONOTONIC). */
  monotonic(): number;
}

/** The only door to the machine. Every mutation is whole or not there: a crash leaves no half-written file. */
export interface Host extends HostReader {
  /** Replaces the file atomically and durably by one of this process, its directories made where missing. */
  writeFile(path: string, content: Content, options: { readonly mode: number }): Promise<void>;
  /** Makes `path` a symbolic link to `target`, replacing what stands there unless it is a directory. */
  link(path: string, target: string): Promise<void>;
  /** Moves a file or directory within one file system; what stands at `to` is replaced where it is a file. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, a link, or a directory with all that is in it; nothing there is fine. */
  remove(path: string): Promise<void>;
  /** Runs a command that changes something. Another exit code than 0 is `CommandFailed` with the end of stderr. */
  run(command: Command): Promise<CommandResult>;
  send(request: HttpSend): Promise<HttpResponse>;
  /** `DownloadFailed`, `ChecksumMismatch` or `ChecksumMissing` when the file does not get there. */
  download(download: Download): Promise<void>;
  /** Gets a secret from outside: a dry run names it instead, and gets one that prints like any other. */
  obtain(what: string, fetch: () => Promise<Secret>): Promise<Secret>;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
