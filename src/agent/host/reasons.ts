/** Reasons for failures of this machine's lock. */
export const lockReasons = {
  AlreadyRunning: 'Another slipway process holds a lock that this process needs.',
} as const;

/** Reasons for failures of files and programs. */
export const systemReasons = {
  PermissionDenied: 'The system refused access to a file: run Slipway as root, or with --root.',
  ReadOnly: 'The file system is mounted read-only.',
  DiskFull: 'The disk has no free space.',
  FileSystemError: 'The system refused a file operation.',
  CommandFailed: 'A command ended with an error.',
  CommandNotFound: 'A command that this node needs is not installed.',
  CommandTimedOut: 'A command exceeded its time limit and was stopped.',
  DatabaseDamaged: 'A file is not a SQLite database or a whole snapshot of etcd, or it has a fault.',
} as const;

/** Reasons for failures of HTTP requests to any server. */
export const httpReasons = {
  Unreachable: 'A connection failed.',
  TimedOut: 'A connection or an answer took too long.',
  TlsUntrusted:
    'The certificate of the server is not trusted: set network.caFile if a proxy signs certificates.',
  ProxyUnauthorized: 'The proxy requires a login, or rejects the one in network.proxyCredentialsFile.',
  UnexpectedAnswer: 'The server sent an answer that does not match its protocol.',
  Throttled: 'The service limits the number of requests; Slipway retries at the time that the service named.',
} as const;

/** Reasons for failures of downloads. */
export const downloadReasons = {
  DownloadFailed: 'A download failed; the next attempt resumes or repeats it.',
  ChecksumMismatch: 'The digest of a download differs from that in its release; the download was deleted.',
  ChecksumMissing: 'The checksum file of the release has no line for this file.',
} as const;
