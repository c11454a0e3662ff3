/** The size of a file, and its lower-case hex SHA-256. */
export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * A large file that a Host compresses with zstd or decompresses, in a child process and with little memory.
 *
 * Throws `DatabaseDamaged` if the file to decompress is damaged or incomplete, or if its content has more bytes than
 * `limit`, and `FileSystemError` if the file is missing.
 */
export interface Compression {
  readonly from: string;
  /** The file to create or replace, with mode 0600. If its directory is missing, it is created with mode 0700. */
  readonly to: string;
  /** The most bytes that the decompressed file may have. */
  readonly limit: number;
}

/** The two files of a compression, or of its reverse. */
export interface Compressed {
  readonly plain: FileDigest;
  readonly packed: FileDigest;
}

/** The part of a Host that compresses large files. A signal stops the work. */
export interface Compressor {
  compress(work: Compression, signal?: AbortSignal): Promise<Compressed>;
  decompress(work: Compression, signal?: AbortSignal): Promise<Compressed>;
}
