import { commandLine } from './command-line.ts';
import type { Command, Download, HttpSend } from './host.ts';

/**
 * A change to the machine, as a dry run records it: printable, with secrets as `‹redacted›`.
 *
 * `before` describes what the change replaces; absent if it replaces nothing.
 */
export type RecordedAction =
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly mode: number;
      readonly content: string;
      readonly before?: Before;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string; readonly before?: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | {
      readonly kind: 'copy' | 'copyFile' | 'compress' | 'decompress';
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'upload'; readonly from: string; readonly url: string }
  | { readonly kind: 'fetch'; readonly url: string; readonly path: string }
  | { readonly kind: 'send'; readonly method: string; readonly url: string; readonly body?: string }
  | {
      readonly kind: 'download';
      readonly url: string;
      readonly path: string;
      readonly mode: number;
      readonly member?: string;
    }
  | { readonly kind: 'obtain'; readonly what: string };

/**
 * The file, link or directory that a write replaces. `content` is absent if the new content is a secret, or if `path`
 * was not a readable file.
 */
export interface Before {
  readonly mode: number;
  readonly content?: string;
}

/** Returns the record of a command. */
export function runOf(command: Command): RecordedAction {
  return { kind: 'run', command: commandLine(command) };
}

/** Returns the record of a request. */
export function sendOf({ method, url, body }: HttpSend): RecordedAction {
  return { kind: 'send', method, url, ...(body !== undefined && { body: `${body}` }) };
}

/** Returns the record of a download. */
export function downloadOf({ url, path, mode, member }: Download): RecordedAction {
  return { kind: 'download', url, path, mode, ...(member !== undefined && { member }) };
}
