import type { Compressor, FileDigest } from './compression.ts';
import type { DatabaseCopy, DatabaseFacts, DatabaseQueries } from './database.ts';
import type { HttpRequest, HttpResponse, HttpSend } from './http-messages.ts';
import type { LargeFiles } from './large-files.ts';
import type { Content, Secret } from './secret.ts';
import type { SnapshotQueries } from './snapshot.ts';

export type {
  ClientIdentity,
  HttpRequest,
  HttpResponse,
  HttpSend,
  TrustedCa,
} from './http-messages.ts';

/** The owner of a file, directory or link. */
export interface Owned {
  /**
   * The `uid:gid` of the entry, if it differs from that of this process. This process must own every file that it
   * writes.
   */
  readonly foreignOwner?: string;
  /** The id of the owner, if the owner is neither root nor the user of this process. */
  readonly foreignUser?: number;
  /** The id of the group, if the group is neither root's nor that of this process. */
  readonly foreignGroup?: number;
}

/** The content and attributes of a text file. `modifiedAt` is in epoch milliseconds. */
export interface FoundFile extends Owned {
  readonly content: string;
  readonly mode: number;
  readonly modifiedAt: number;
}

/**
 * The attributes of the entry at a path; links are not followed. `mode` contains the entry's permission bits; `target`
 * is the target of a link. `inode` changes when another file replaces the entry; it is absent for an entry that a dry
 * run would write.
 */
export interface FileStat extends Owned {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly mode: number;
  readonly size: number;
  readonly modifiedAt: number;
  readonly inode?: number;
  readonly target?: string;
}

/**
 * A program and its arguments, never a shell string. Arguments contain no secret; `env` is added to a small, clean
 * environment.
 */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, Content>>;
  /** The time limit of the command in milliseconds; 30 000 by default. */
  readonly timeout?: number;
}

/** The result of a command. The exit code of a program that is not installed is 127, as in a shell. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A file of a release. Before the installation, the Host verifies it against the digest of `checksum.name` in the
 * release's sha256 file.
 */
export interface Download {
  readonly url: string;
  readonly checksum: { readonly url: string; readonly name: string };
  readonly path: string;
  readonly mode: number;
  /** The only member to install if `url` is a .tar.gz; the digest is that of the archive. */
  readonly member?: string;
}

/** Work that takes longer than a pass. */
export interface Job {
  /** The path of a file that exists while the job runs. Jobs with the same trace never run at the same time. */
  readonly trace: string;
  /** The work as an imperative, such as `download it`; contains no secret. */
  readonly what: string;
  /** The value that distinguishes jobs with the same trace, such as the downloads of two versions. */
  readonly subject: string;
}

/** A job whose process is alive. `since` is a time in the format of RFC 3339. */
export interface RunningJob extends Pick<Job, 'what' | 'subject'> {
  readonly since: string;
}

/**
 * Read-only access to the machine. A missing file, unit or value is `undefined` or empty; every other error is a
 * NodeError, such as `PermissionDenied`, `FileSystemError`, `CommandTimedOut`, `Unreachable`, `TimedOut`,
 * `TlsUntrusted` or `UnexpectedAnswer`.
 */
export interface HostReader {
  readFile(path: string): Promise<FoundFile | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** Returns the names in a directory, sorted. */
  list(path: string): Promise<readonly string[]>;
  /** Returns the size and the digest of a file of any size. */
  digestFile(path: string): Promise<FileDigest | undefined>;
  /** Runs a command that only reads. The caller judges its exit code. */
  query(command: Command): Promise<CommandResult>;
  get(request: HttpRequest): Promise<HttpResponse>;
  /**
   * Returns the certificate of the TLS server at an https URL as PEM, without verifying it or sending a request.
   * `patience` limits the handshake in milliseconds. Throws `Unreachable` if no address of its name accepts the
   * connection in time, or if it is closed without a byte; the cause has the codes of the system. Throws `TimedOut` if
   * the server accepts the connection and then stays silent.
   */
  peerCertificate(url: string, patience?: number): Promise<string>;

  /** Reads a SQLite database that no process changes (database.ts); `undefined` if the file is missing. */
  readDatabase(path: string, queries: DatabaseQueries): Promise<DatabaseFacts | undefined>;
  /**
   * Reads a snapshot of etcd (snapshot.ts); `undefined` if the file is missing. Throws `DatabaseDamaged` unless the
   * file is a whole snapshot with the digest of its content.
   */
  readSnapshot(path: string, queries: SnapshotQueries): Promise<DatabaseFacts | undefined>;
  /** Returns the running job with this trace; `undefined` if none runs, or if its process has died. */
  job(trace: string): Promise<RunningJob | undefined>;
  /** Returns the current time in epoch milliseconds. */
  now(): number;
  /** Returns the milliseconds of a clock that is never set (clock_gettime(2), CLOCK_MONOTONIC). */
  monotonic(): number;
}

/** The interface for all access to the machine. Every change is atomic: a crash leaves no half-written file. */
export interface Host extends HostReader, Compressor, LargeFiles {
  /** Writes the file atomically and durably, owned by this process. Creates missing directories. */
  writeFile(path: string, content: Content, options: { readonly mode: number }): Promise<void>;
  /** Creates a symbolic link to `target` at `path`, and replaces anything there except a directory. */
  link(path: string, target: string): Promise<void>;
  /** Moves a file or directory within one file system, and replaces a file at `to`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, a link, or a directory with its contents. Does nothing if the path is missing. */
  remove(path: string): Promise<void>;
  /**
   * Runs a command that changes something. Throws `CommandNotFound` if the program is not installed, and
   * `CommandFailed` for any exit code except 0. The message of `CommandFailed` quotes the end of the output;
   * `failedOutput` returns the whole output. The signal stops the command.
   */
  run(command: Command, signal?: AbortSignal): Promise<CommandResult>;
  send(request: HttpSend): Promise<HttpResponse>;
  /** Copies a SQLite database (database.ts). The signal stops the copy. */
  copyDatabase(copy: DatabaseCopy, signal?: AbortSignal): Promise<DatabaseFacts>;
  /**
   * Fetches and verifies a release file, and returns its digest for `install`. Fetches only the sha256 file if the
   * release file is already in place. The signal aborts the transfer; the next call resumes it. Throws
   * `DownloadFailed`, `ChecksumMismatch` or `ChecksumMissing`.
   */
  download(download: Download, signal?: AbortSignal): Promise<string>;
  /**
   * Puts a downloaded file in place. Throws `DownloadFailed` if its digest differs from `digest` or the archive is
   * damaged.
   */
  install(download: Download, digest: string): Promise<void>;
  /**
   * Starts a job, and throws `Underway` while the job runs, unless this Host waits for its jobs. The first call after
   * the job has ended returns its result or throws its error. Before it starts the job, aborts a running job that has
   * the same trace but another subject.
   */
  perform(job: Job, work: (signal: AbortSignal) => Promise<string>): Promise<string>;
  /**
   * Fetches a secret from outside the machine. A dry run only records `what`, and returns a placeholder that prints
   * like any secret.
   */
  obtain(what: string, fetch: () => Promise<Secret>): Promise<Secret>;
  /** Resolves after `milliseconds`, or as soon as the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
