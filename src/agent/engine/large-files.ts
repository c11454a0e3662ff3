import { NodeError } from './errors.ts';
import type { HttpRequest, HttpResponse } from './http-messages.ts';
import { forPerson } from './severity.ts';

/** A PUT request whose body is a local file. */
export interface HttpUpload extends HttpRequest {
  readonly file: string;
  /** The size of the file in bytes. A file of another size is not sent. */
  readonly bytes: number;
  /** The time limit of the whole exchange in milliseconds. An upload without progress for a minute ends earlier. */
  readonly timeout: number;
}

/** A GET request whose answer, if its status is 200, goes to a local file. */
export interface HttpFetch extends HttpRequest {
  /** The file to create or replace, with mode 0600. */
  readonly file: string;
  /** The most bytes that the file may have. */
  readonly limit: number;
  /** The time limit of the whole exchange in milliseconds. A fetch without progress for a minute ends earlier. */
  readonly timeout: number;
}

/** The methods of a Host for files of any size; none of them holds a whole file in memory. A signal stops the work. */
export interface LargeFiles {
  /**
   * Copies a file to a new path, atomically, durably and with mode 0600. Creates missing directories with mode 0700.
   * Returns `exists`, and changes nothing, if anything is at `to`, even if another process created it meanwhile.
   */
  copyFile(from: string, to: string, signal?: AbortSignal): Promise<'copied' | 'exists'>;
  /**
   * Sends a file as the body of a PUT request. Returns any answer, and a redirect too, which it does not follow. Throws
   * the errors of requests, and `FileSystemError` if the file is missing, changes, or has another size.
   */
  upload(request: HttpUpload, signal?: AbortSignal): Promise<HttpResponse>;
  /**
   * Fetches a file, and puts it in place as a whole. Returns the answer, without its body if the status is 200; changes
   * nothing after any other status, and does not follow a redirect. Throws the errors of requests and files, and
   * `TooManyBytes` for a body above the limit.
   */
  fetchFile(request: HttpFetch, signal?: AbortSignal): Promise<HttpResponse>;
}

/** The error of `fetchFile` for an answer that is larger than the limit of the request. */
export class TooManyBytes extends NodeError {
  constructor(where: string, limit: number) {
    super(
      'UnexpectedAnswer',
      `${where} answered with more than ${limit} bytes, and nothing was kept of it. Check what is stored there.`,
      forPerson,
    );
  }
}
