/** Reasons for failures of this machine's lock. */
export const lockReasons = {
  AlreadyRunning: 'Another slipway holds the lock of this machine.',
} as const;

/** Reasons for failures of files and programs. */
export const systemReasons = {
  PermissionDenied: 'The system refused access to a file: run as root, or give --root.',
  ReadOnly: 'The file system is mounted read-only.',
  DiskFull: 'There is no room left on the device.',
  FileSystemError: 'The system refused a file operation.',
  CommandFailed: 'A command ended with an error.',
  CommandNotFound: 'A command this node needs is not installed.',
  CommandTimedOut: 'A command did not end in its time and was stopped.',
} as const;

/** Reasons for failures of HTTP requests to any server. */
export const httpReasons = {
  Unreachable: 'A connection could not be made.',
  TimedOut: 'An answer did not come in time.',
  TlsUntrusted: 'The certificate of the other side is not trusted: set network.caFile if a proxy re-signs.',
  ProxyUnauthorized:
    'The proxy wants a login, or refuses the one it is given: see network.proxyCredentialsFile.',
  UnexpectedAnswer: 'The other side answered, but not with what its protocol promises.',
  Throttled: 'The other side asked for fewer requests; it is asked again at the time it named.',
} as const;

/** Reasons for failures of downloads. */
export const downloadReasons = {
  DownloadFailed: 'A download did not succeed; it is resumed or started over.',
  ChecksumMismatch: 'A download does not have the digest its release promises; it was deleted.',
  ChecksumMissing: 'The checksum file of the release has no line for this file.',
} as const;
