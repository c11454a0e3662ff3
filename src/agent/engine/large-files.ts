/** The methods of a Host for files of any size; none of them holds a whole file in memory. */
export interface LargeFiles {
  /**
   * Copies a file to a new path, atomically, durably and with mode 0600. Creates missing directories with mode 0700.
   * Returns `exists`, and changes nothing, if anything is at `to`, even if another process created it meanwhile. The
   * signal stops the copy.
   */
  copyFile(from: string, to: string, signal?: AbortSignal): Promise<'copied' | 'exists'>;
}
